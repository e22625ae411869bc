import { basename } from "node:path"
import js from "@eslint/js"
import jsxA11y from "eslint-plugin-jsx-a11y"
import reactHooks from "eslint-plugin-react-hooks"
import { defineConfig, globalIgnores } from "eslint/config"
import { readdirSync } from "node:fs"
import typescript from "typescript-eslint"

/** File names are kebab-case, and no file only passes on what others export. */
const fileName = {
    create: (context) => ({
        Program(node) {
            const name = basename(context.filename)
            if (/^index\.tsx?$/.test(name))
                context.report({ node, message: "Import from the file itself, not from a barrel." })
            if (!/^[a-z0-9]+([-.][a-z0-9]+)*\.(d\.)?[a-z]+$/.test(name)) {
                context.report({ node, message: "Name files in kebab-case." })
            }
        },
    }),
}

/** What files of a folder may not import; everything across folders is imported by its path from the root, `@/...`. */
function zone(files, forbidden) {
    const patterns = [
        { regex: "^\\.\\./", message: "Import across folders by `@/...`." },
        { regex: forbidden, message: "Imports go app → features → components/ui, api, lib." },
    ]
    return { files, rules: { "no-restricted-imports": ["error", { patterns }] } }
}

const features = readdirSync(`${import.meta.dirname}/src/features`)

export default defineConfig(
    globalIgnores(["dist", "src/api/schema.d.ts", "test-results", "playwright-report"]),
    js.configs.recommended,
    {
        files: ["**/*.{ts,tsx}"],
        extends: [
            typescript.configs.strictTypeChecked,
            typescript.configs.stylisticTypeChecked,
            jsxA11y.flatConfigs.strict,
            reactHooks.configs.flat.recommended,
        ],
        languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
        rules: {
            "@typescript-eslint/consistent-type-definitions": ["error", "interface"],
            "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
            "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
            // React awaits event handlers and actions no more than we do; each such promise handles its own errors.
            "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
        },
    },
    {
        plugins: { local: { rules: { "file-name": fileName } } },
        rules: { "local/file-name": "error", "max-lines": ["error", 250], eqeqeq: "error", "no-console": "error" },
    },
    {
        files: ["scripts/**", "public/**"],
        languageOptions: {
            globals: { process: false, console: false, URL: false, localStorage: false, document: false },
        },
        rules: { "no-console": "off" },
    },
    // Playwright hands fixtures on with a function that it calls "use", which is no hook.
    { files: ["e2e/**"], rules: { "react-hooks/rules-of-hooks": "off" } },
    zone(["src/app/**"], "^$"),
    zone(["src/lib/**"], "^@/(app|features|components|api)/"),
    zone(["src/api/**"], "^@/(app|features|components)/"),
    zone(["src/components/**"], "^@/(app|features|api)/"),
    ...features.map((name) => zone([`src/features/${name}/**`], `^@/(app|features/(?!${name}/))`)),
)

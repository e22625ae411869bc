import { fileURLToPath } from "node:url"
import tailwindcss from "@tailwindcss/vite"
import react from "@vitejs/plugin-react"
import type { Plugin } from "vite"
import { defineConfig } from "vitest/config"

const GATEWAY = process.env.GATEWAY_URL ?? "http://127.0.0.1:8000"
const API_PATHS = [
  "/jobs",
  "/batches",
  "/events",
  "/pipelines",
  "/providers",
  "/usage",
  "/files",
  "/ready",
  "/health",
  "/storage",
  "/docs",
  "/redoc",
  "/static-offline-docs",
  "/openapi.json",
]

/** Lets the browser fetch the interface's Latin font before it has read the style sheet. */
function preloadFont(): Plugin {
  return {
    name: "preload-font",
    transformIndexHtml: {
      order: "post",
      handler(_html, context) {
        const name = Object.keys(context.bundle ?? {}).find((file) => /commissioner-latin-wght.*\.woff2$/.test(file))
        if (name === undefined) return []
        const attrs = { rel: "preload", href: `/app/${name}`, as: "font", type: "font/woff2", crossorigin: true }
        return [{ tag: "link", attrs, injectTo: "head" }]
      },
    },
  }
}

export default defineConfig({
  base: "/app/",
  plugins: [react(), tailwindcss(), preloadFont()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2023",
    // The page's content security policy allows files of its own origin only, so nothing may become a data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    port: 3000,
    strictPort: true,
    // The host stays the page's own: the gateway compares it with the origin that the browser names.
    proxy: Object.fromEntries(API_PATHS.map((path) => [path, { target: GATEWAY, changeOrigin: false }])),
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
})

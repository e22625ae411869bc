// Runs before the first paint, so that a remembered theme never flashes. A file of its own: the page allows no inline scripts.
try {
    const theme = localStorage.getItem("theme")
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme
} catch {
    // Storage is blocked: the page follows the system.
}

// Light, dark, or as the system has it; remembered in this browser.

/** @typedef {"system" | "light" | "dark"} Theme */

/** @type {Record<Theme, Theme>} */
const NEXT = { system: "light", light: "dark", dark: "system" };
const NAMES = { system: "as the system", light: "light", dark: "dark" };

/** @param {HTMLButtonElement} button @param {() => void} onChange */
export function themeSwitch(button, onChange) {
  let theme = stored();
  const apply = () => {
    document.documentElement.dataset.theme = theme;
    button.setAttribute("aria-label", `Colours: ${NAMES[theme]}`);
    button.title = `Colours: ${NAMES[theme]}`;
    onChange();
  };
  button.addEventListener("click", () => {
    theme = NEXT[theme];
    localStorage.setItem("vivavoce-theme", theme);
    apply();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  apply();
}

/** @returns {Theme} */
function stored() {
  const value = localStorage.getItem("vivavoce-theme");
  return value === "light" || value === "dark" ? value : "system";
}

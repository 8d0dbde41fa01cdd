// Runs before the first paint, so that nothing flashes: the chosen colour scheme, and whether
// somebody is probably signed in (the header shows the one or the other links).
(() => {
  const root = document.documentElement;
  root.dataset.js = "";
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    const name = localStorage.getItem("signed-in");
    if (name) root.dataset.signedIn = name;
  } catch {
    // Storage is refused here: the system's scheme, and nobody signed in.
  }
})();

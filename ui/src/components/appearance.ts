/** Calls back whenever the window's colours may have changed, through the user's theme or the system's. */
export function onAppearance(again: () => void): () => void {
  const root = new MutationObserver(again);
  root.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', again);
  return () => {
    root.disconnect();
    dark.removeEventListener('change', again);
  };
}

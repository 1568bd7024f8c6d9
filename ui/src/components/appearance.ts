/** Calls back whenever the window's colours may be others: by the person's theme, or by the system's. */
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

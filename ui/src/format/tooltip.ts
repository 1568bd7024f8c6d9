/** The `title` of a control as a tooltip: its text and its keys. */
export function tooltipOf(title: string): { text: string; keys: string[] } {
  const found = /^(?:(.*?)\.? )?Keys: (.+)$/s.exec(title);
  if (found === null) return { text: title, keys: [] };
  // A plus at the end is a key itself.
  return { text: found[1] ?? '', keys: (found[2] ?? '').split(/ then |(?!^)\+(?!$)/) };
}

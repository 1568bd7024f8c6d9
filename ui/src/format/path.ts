/** A path as pasted: in quotes, or as the URL that a file manager copies. */
export function cleanPath(text: string): string {
  const bare = text
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2')
    .trim();
  if (!/^file:\/\//i.test(bare)) return bare;
  const path = decoded(bare.replace(/^file:\/\/(localhost(?=\/))?/i, ''));
  return /^\/[a-z]:[\\/]/i.test(path) ? path.slice(1) : path;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

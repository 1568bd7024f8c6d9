/** The strength of a passphrase, in words. */

const SHORTEST = 12;

export interface Judgement {
  /** It is good enough to be used. */
  enough: boolean;
  words: string;
}

/** Length is what counts; a few characters over and over count as few. */
export function judge(passphrase: string): Judgement {
  const characters = [...passphrase].length;
  if (characters < SHORTEST) {
    const missing = SHORTEST - characters;
    return { enough: false, words: `At least ${SHORTEST} characters: ${missing} to go.` };
  }
  const different = new Set(passphrase).size;
  if (different < 5) return { enough: true, words: 'Weak: it is repetitive. A few unrelated words are better.' };
  if (characters < 16) return { enough: true, words: 'Fair. A few unrelated words are better.' };
  return { enough: true, words: characters < 24 ? 'Good.' : 'Strong.' };
}

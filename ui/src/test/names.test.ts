import { expect, it } from 'vitest';

const sources = import.meta.glob<string>('../**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true });

/** What the names by which people decide are called in the code. */
const NAME = String.raw`(?:\w+\??\.)*(?:device|name|tag|hub|connectionName|connection_name|trusted_as)`;

/** Everything in which names are passed on as they are, or shown only cleaned. */
function wrong(source: string): string[] {
  return [
    ...source.matchAll(new RegExp(String.raw`\bvisible\(${NAME}\b[^.(]`, 'g')),
    ...source.matchAll(
      /\b(?:devices|devices_named|names|named|tags|examples|unmeasured_examples|without_secrets)\b[^\n]*\.map\(visible\)/g,
    ),
    // Text of a component, and what a screen reader says.
    ...source.matchAll(/>\{(?:connection|current|one|row|view)\.(?:name|device)\}/g),
    ...source.matchAll(/\b(?:aria-label|label|title)=\{(?:connection|current|row|view)\.(?:name|device)\}/g),
    ...source.matchAll(/[^,(]\$\{(?:connection|current|row)\.(?:name|device)\}/g),
  ].map(([found]) => found);
}

it('shows no name but by visibleName', () => {
  expect(
    wrong('{visible(row.device)} {visible(name ?? "")} {devices.map(visible)} <b>{current.name}</b>'),
  ).toHaveLength(4);
  const found = Object.entries(sources)
    .filter(([path]) => !/\.test\.ts$|\/test\/|\/backend\//.test(path))
    .flatMap(([path, source]) => wrong(source).map((part) => `${path}: ${part}`));
  // Steps of a preflight and files of a kit are no names by which anybody decides.
  expect(found.filter((part) => !/(?:step|item)\.name/.test(part))).toEqual([]);
});

import { expect, it } from 'vitest';

import { dialsOf, dialWords, NO_FAULTS, textsOf, wrongDials } from './dials';

it('reads what was typed, and shows it as it was', () => {
  const dials = { ...NO_FAULTS, fail: 0.05, drop: 0.125, offline: 1, delay_ms: 400, seed: 7 };
  expect(textsOf(dials)).toMatchObject({
    fail: '5',
    drop: '12.5',
    offline: '100',
    slow: '',
    delay_ms: '400',
    seed: '7',
  });
  expect(dialsOf(textsOf(dials))).toEqual(dials);
  expect(dialsOf({ ...textsOf(NO_FAULTS), fail: ' 2,5 ' })).toEqual({ ...NO_FAULTS, fail: 0.025 });
  expect(dialWords(dials)).toEqual([
    'Command fails 5 %',
    'Devices offline 100 %',
    'Answer is lost 12.5 %',
    'Delay up to 400 ms',
  ]);
});

it('refuses what is no share, delay or seed', () => {
  const wrong = (given: object) => Object.keys(wrongDials({ ...textsOf(NO_FAULTS), ...given }));
  expect(wrong({})).toEqual([]);
  for (const share of ['101', '-1', 'often', '1e1']) expect(wrong({ fail: share })).toEqual(['fail']);
  for (const delay of ['60001', '1.5']) expect(wrong({ delay_ms: delay })).toEqual(['delay_ms']);
  for (const seed of ['', '4294967296', '-1']) expect(wrong({ seed })).toEqual(['seed']);
  expect(dialsOf({ ...textsOf(NO_FAULTS), seed: '' })).toBeNull();
});

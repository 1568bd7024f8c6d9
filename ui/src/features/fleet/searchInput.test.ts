import { expect, it } from 'vitest';

import type { Backend } from '../../backend/backend';
import type { SearchReading } from '../../backend/bindings/SearchReading';
import { NOTHING } from '../../format/search';
import { Fleet } from '../../state/fleet.svelte';
import { SearchInput } from './searchInput.svelte';

/** A search field whose text is read when the test says so. */
function field() {
  const readings: (() => void)[] = [];
  const readSearch = (_connection: string, text: string) =>
    new Promise<SearchReading>((resolve) => {
      const completions = [{ from: 0, to: text.length, text: `${text}!`, label: '', count: null, open: false }];
      readings.push(() => resolve({ parts: [], error: null, completions } as unknown as SearchReading));
    });
  const backend = { readSearch, deviceColumns: () => new Promise(() => undefined) } as unknown as Backend;
  const fleet = new Fleet(backend);
  const state = { connection: 'bench' };
  const searchInput = new SearchInput(fleet, () => state.connection);
  fleet.open('bench');
  return { searchInput, fleet, state, answer: (question: number) => readings[question]?.() };
}

it('searches for what is typed, and offers completions', async () => {
  const { searchInput, fleet, answer } = field();
  const typed = searchInput.type('pump', 4);
  answer(0);
  await typed;
  expect(fleet.search.text).toBe('pump');
  expect(searchInput.completions).toHaveLength(1);
});

it('does not undo a search that was cleared while the text was read', async () => {
  const { searchInput, fleet, answer } = field();
  const typed = searchInput.type('pump', 4);
  // As Escape does.
  searchInput.follow('');
  fleet.find(NOTHING);
  answer(0);
  await typed;
  expect([searchInput.text, fleet.search, searchInput.completions]).toEqual(['', NOTHING, []]);
});

it('does not search the next connection for what was typed for the last one', async () => {
  const { searchInput, fleet, state, answer } = field();
  const typed = searchInput.type('pump', 4);
  state.connection = 'hall';
  fleet.open('hall');
  answer(0);
  await typed;
  expect([fleet.search, searchInput.reading, searchInput.completions]).toEqual([NOTHING, null, []]);
});

it('does not restore a removed condition', async () => {
  const { searchInput, fleet, answer } = field();
  fleet.find({ tokens: ['is:online'], text: '' });
  const typed = searchInput.type('pump', 4);
  fleet.find(NOTHING);
  answer(0);
  await typed;
  expect(fleet.search).toEqual(NOTHING);
});

it('heeds the answer to the newest text only', async () => {
  const { searchInput, fleet, answer } = field();
  const first = searchInput.type('pu', 2);
  const second = searchInput.type('pump', 4);
  answer(1);
  await second;
  searchInput.point(1);
  answer(0);
  await first;
  expect([fleet.search.text, searchInput.active]).toEqual(['pump', 0]);
});

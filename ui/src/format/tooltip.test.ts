import { expect, it } from 'vitest';

import { tooltipOf } from './tooltip';

it.each([
  ['Round trip', { text: 'Round trip', keys: [] }],
  ['Keys: G then F', { text: '', keys: ['G', 'F'] }],
  ['Restart. Keys: R', { text: 'Restart', keys: ['R'] }],
  ['Keys: Ctrl+K', { text: '', keys: ['Ctrl', 'K'] }],
  ['Zoom in. Keys: Ctrl++', { text: 'Zoom in', keys: ['Ctrl', '+'] }],
])('%s', (title, shown) => expect(tooltipOf(title)).toEqual(shown));

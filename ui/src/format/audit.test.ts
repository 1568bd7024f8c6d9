import { describe, expect, test } from 'vitest';

import type { AuditVerification } from '../backend/bindings/AuditVerification';
import { unsealed, verdict } from './audit';

const found: AuditVerification = {
  entries: 9,
  range: { from: 1, to: 9 },
  deleted: 0,
  problems: [],
  intact: [{ from: 1, to: 9 }],
  unsealed: [],
  seal: { state: 'not_yet' },
};

describe('the result of a verification', () => {
  test('names the entries that were not sealed when Wilco started', () => {
    expect(verdict(found)).toBe('Entries 1 to 9 are unaltered.');
    expect(unsealed(found)).toBeNull();
    const rest = 'not sealed when Wilco started: Wilco exited before sealing them, or another program added them.';
    expect(unsealed({ ...found, unsealed: [{ from: 4, to: 4 }] })).toBe(`Entry 4 was ${rest}`);
    const two = [
      { from: 4, to: 4 },
      { from: 6, to: 8 },
    ];
    expect(unsealed({ ...found, unsealed: two })).toBe(`Entries 4 and 6 to 8 were ${rest}`);
  });
});

import { describe, expect, it } from 'vitest';

import type { Backend } from '../backend/backend';
import type { DevicePage } from '../backend/bindings/DevicePage';
import type { DeviceRow } from '../backend/bindings/DeviceRow';
import { Fleet } from './fleet.svelte';

/** A backend that answers when the test says so, in any order. */
function slowBackend() {
  const answers: ((page: DevicePage) => void)[] = [];
  const devices = () => new Promise<DevicePage>((resolve) => answers.push(resolve));
  const fleet = new Fleet({ devices } as unknown as Backend);
  const answer = async (question: number, names: string[]) => {
    const rows = names.map((device) => ({ device }) as DeviceRow);
    answers[question]?.({ rows, from: 0, matching: names.length, total: names.length });
    await Promise.resolve();
    await Promise.resolve();
  };
  return { fleet, answer };
}

describe('the list of devices', () => {
  it('is not undone by an earlier answer that comes later', async () => {
    const { fleet, answer } = slowBackend();
    fleet.open('bench');
    fleet.refresh();
    await answer(1, ['pump-1']);
    await answer(0, []);
    expect(fleet.matching).toBe(1);
    expect(fleet.row(0)?.device).toBe('pump-1');
  });

  it('keeps nothing of another list, whichever question is answered first', async () => {
    const { fleet, answer } = slowBackend();
    fleet.open('bench');
    await answer(
      0,
      Array.from({ length: 150 }, (_, i) => `old-${i}`),
    );
    fleet.show({ from: 100, to: 150 });
    await answer(
      1,
      Array.from({ length: 50 }, (_, i) => `old-${100 + i}`),
    );
    fleet.find({ tokens: [], text: 'pump' });
    expect([fleet.reloading, fleet.row(0)?.device]).toEqual([true, 'old-0']);
    fleet.refresh();
    await answer(3, ['pump-1']);
    await answer(2, ['pump-1']);
    expect([fleet.reloading, fleet.row(0)?.device, fleet.row(120)]).toEqual([false, 'pump-1', undefined]);
  });

  it('is asked for again when it was empty, so that the first device is seen', async () => {
    const { fleet, answer } = slowBackend();
    fleet.open('bench');
    await answer(0, []);
    fleet.show({ from: 0, to: 0 });
    fleet.refresh();
    await answer(1, ['pump-1']);
    expect(fleet.row(0)?.device).toBe('pump-1');
  });

  it('takes what comes in order', async () => {
    const { fleet, answer } = slowBackend();
    fleet.open('bench');
    fleet.refresh();
    await answer(0, []);
    await answer(1, ['pump-1', 'pump-2']);
    expect(fleet.matching).toBe(2);
    expect(fleet.row(1)?.device).toBe('pump-2');
  });
});

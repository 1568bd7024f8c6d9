import { describe, expect, it } from 'vitest';

import { climbed, command } from '../test/commands';
import { why } from './why';

const around = { prefix: '', connected: true };
const told = (given: ReturnType<typeof command>, now = 1_001_300) => {
  const { what, then } = why(given, now, around);
  return `${what} ${then}`;
};

describe('the words under a ladder', () => {
  it('counts down to the time-out', () => {
    expect(told(climbed('accepted'))).toBe('The device has accepted it but has not finished. It times out in 8.7 s.');
  });

  it('passes on that nobody listens, and on which topic', () => {
    const given = climbed('at_broker', { accepted_at: null, nobody_listening: true });
    expect(why(given, 0, { prefix: 'cmd/a', connected: true }).what).toBe(
      'The broker reports no subscribers on cmd/a/kitchen-0417/req.',
    );
    expect(why(given, 0, { prefix: 'cmd/', connected: true }).what).toMatch(/ on cmd\/kitchen-0417\/req\.$/);
    expect(why(given, 0, { prefix: '/', connected: true }).what).toMatch(/ on \/kitchen-0417\/req\.$/);
  });

  it('says that an answer came which cannot be read', () => {
    const unreadable = { count: 1, last_at: 0, why: 'This answer is unreadable: its status "finished" is unknown.' };
    const given = climbed('at_broker', { accepted_at: null, unreadable });
    expect(told(given)).toContain('An unreadable answer arrived. This answer is unreadable: its status');
    const done = climbed('succeeded', { unreadable });
    expect(told(done)).toContain('Another message about it could not be read.');
  });

  it('quotes the device', () => {
    expect(told(climbed('failed', { message: 'flash write error at 0x1f0000' }))).toContain(
      'It said “flash write error at 0x1f0000”.',
    );
  });

  it('describes a report that settles a command without quoting the device', () => {
    const message = 'The device reported ON.';
    const given = climbed('succeeded', { message, settled_by: 'report', match: 'inferred' });
    const { what, then } = why(given, 0, around);
    expect(what).toBe(message);
    expect(then).toMatch(/^It took .*\. Inferred from its report: no answer names this command\.$/);
  });

  it('puts no stop after a quotation that has its own', () => {
    expect(told(climbed('failed', { message: 'It is too hot.' }))).toContain('It said “It is too hot.” Fix');
    expect(told(climbed('failed', { message: 'Why me?' }))).toContain('It said “Why me?” Fix');
  });

  it('claims of a refusal only what follows from it', () => {
    const message = "This device does not support the command 'calibrate'.";
    expect(told(climbed('rejected', { command: 'calibrate', message }))).toBe(
      `The device refused the command. It said “${message}” Check the command and its arguments, then send it again.`,
    );
    expect(told(climbed('rejected', { command: 'config.set', message: 'unknown key buzzer' }))).toContain(
      'It said “unknown key buzzer”. Changes apply all together or not at all, so none was applied.',
    );
  });

  it('names the clocks where a device refuses as expired what it has just received', () => {
    const message = 'The command expired 7200000 ms before it arrived.';
    const clocks = 'The clocks of this computer and the device probably differ.';
    expect(told(climbed('rejected', { message, clocks_differ: true }))).toContain(clocks);
    expect(told(climbed('rejected', { message }))).not.toContain(clocks);
  });

  it('shows what a device hides in its text', () => {
    expect(told(climbed('rejected', { message: 'no\u202e\u0007' }))).toContain('“no\\u202e\\u0007”');
  });

  it('never calls a command done that only the broker has', () => {
    expect(told(climbed('unconfirmed'))).toContain('No device has confirmed it.');
  });

  it('says that a timed out command may have run', () => {
    const message = 'No answer within 10 s. The broker has it; the device may still run it.';
    const silent = climbed('timed_out', { accepted_at: null, finished_at: 1_010_002, attempts: 3, message });
    expect(why(silent, 0, around)).toMatchObject({
      what: 'No answer within 10 s.',
      then: expect.stringMatching(/^The broker has it; the device may still run it\. It was sent 3 times\./) as string,
    });
  });

  it('waits for the connection where there is none', () => {
    expect(why(command(), 0, { prefix: '', connected: false }).what).toBe(
      'In the outbox, because Wilco is not connected to the broker.',
    );
  });

  it('adds what is unusual', () => {
    const given = climbed('succeeded', { finished_at: 1_000_500, late: true, duplicates: 1, conflict: true });
    expect(told(given)).toContain('arrived after the command had timed out');
    expect(told(given)).toContain('arrived twice');
    expect(told(given)).toContain('A second, different answer arrived.');
    expect(told(command({ state: 'cancelled', contradicted: 'succeeded' }))).toContain(
      'But the device reported succeeded.',
    );
  });
});

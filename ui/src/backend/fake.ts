/** A fake engine for a plain browser: an invented fleet that answers commands. Nothing leaves the page or is stored. */

import type { Backend } from './backend';
import { approvalCalls } from './fake/approvalCalls';
import { auditCalls } from './fake/auditCalls';
import { catalogueCalls } from './fake/catalogueCalls';
import { commandCalls } from './fake/commandCalls';
import { connectionCalls } from './fake/connectionCalls';
import { deviceCalls } from './fake/deviceCalls';
import { FakeEngine, type FakeOptions } from './fake/engine';
import { rehearsalCalls } from './fake/rehearsal';
import { rolloutCalls } from './fake/rolloutCalls';
import { windowCalls } from './fake/windowCalls';

export type { FakeOptions };
export type Fake = ReturnType<typeof fakeBackend>;

export function fakeBackend(options: FakeOptions = {}) {
  const engine = new FakeEngine(options);
  const backend = Object.assign(windowCalls(engine), auditCalls(engine), {
    ...connectionCalls(engine),
    ...deviceCalls(engine),
    ...commandCalls(engine),
    ...rolloutCalls(engine),
    ...approvalCalls(engine),
    ...rehearsalCalls(engine),
    ...catalogueCalls(engine),
  });
  return backend satisfies Backend;
}

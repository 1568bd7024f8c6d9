import type { Failure } from '../backend/bindings/Failure';

/** The reason of a rejected promise, as a sentence. */
export function failureOf(reason: unknown): Failure {
  if (typeof reason === 'object' && reason !== null && 'message' in reason && 'code' in reason)
    return reason as Failure;
  const message = reason instanceof Error ? reason.message : String(reason);
  return { code: 'internal', message: `Something went wrong inside Wilco: ${message}`, hint: null };
}

import type { Failure } from '../bindings/Failure';

export function failure(code: Failure['code'], message: string, hint: string | null): Failure {
  return { code, message, hint };
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

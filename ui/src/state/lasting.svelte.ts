/** State that outlives the screen in which it is created. */

/** What is derived in an effect of a screen stops updating when the screen closes; what is created here does not. */
export function lasting<T>(create: () => T): T {
  let created: T | undefined;
  $effect.root(() => {
    created = create();
  });
  return created as T;
}

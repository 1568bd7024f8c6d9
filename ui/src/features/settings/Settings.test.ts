import { expect, it } from 'vitest';

import { expectAccessible, openFleet } from '../../test/window';

it('keeps theme and density', async () => {
  const { getByRole, findByRole, backend, user, container } = await openFleet();
  await user.click(getByRole('link', { name: 'Settings' }));
  await findByRole('radiogroup', { name: 'Theme' });
  await user.click(getByRole('radio', { name: 'Dark' }));
  expect(document.documentElement).toHaveAttribute('data-theme', 'dark');
  getByRole('radio', { name: 'Dark' }).focus();
  await user.keyboard('{ArrowRight}');
  expect(document.documentElement).not.toHaveAttribute('data-theme');
  await user.click(getByRole('radio', { name: 'Compact' }));
  expect(document.documentElement).toHaveAttribute('data-density', 'compact');
  expect(await backend.loadPreferences()).toMatchObject({ theme: 'system', density: 'compact' });
  await expectAccessible(container);
});

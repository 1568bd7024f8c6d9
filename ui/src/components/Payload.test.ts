import { render } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { expect, it, vi } from 'vitest';

import Payload from './Payload.svelte';

it('is shown whole without submitting the form around it', async () => {
  const payload = `{"text":"${'x'.repeat(100_000)}"}`;
  const wire = { topic: 'pump-7/req', qos: 1, bytes: payload.length, payload, binary: false, cut: null };
  const form = document.body.appendChild(document.createElement('form'));
  const submitted = vi.fn((event: Event) => event.preventDefault());
  form.addEventListener('submit', submitted);
  const { getByRole, container } = render(Payload, { target: form, props: { title: 'pump-7', wire } });
  await userEvent.setup().click(getByRole('button', { name: /^Show all/ }));
  expect(container.textContent).toContain('x'.repeat(100_000));
  expect(submitted).not.toHaveBeenCalled();
  form.remove();
});

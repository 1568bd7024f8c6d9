import { waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { ROTTERDAM } from '../../backend/fake/connections';
import { DIALECTS } from '../../backend/fake/dialects';
import { expectAccessible, openWindow } from '../../test/window';

async function openWizard(options = {}) {
  const window = openWindow(options);
  await window.user.click(await window.findByRole('button', { name: 'Connect to my broker' }));
  await window.findByRole('heading', { name: 'Files' });
  return withHands(window);
}

function withHands<W extends ReturnType<typeof openWindow>>(window: W) {
  const fill = async (name: string, text: string) => {
    const field = window.getByLabelText(name);
    await window.user.clear(field);
    await window.user.type(field, text);
  };
  const press = async (name: string) => window.user.click(await window.findByRole('button', { name }));
  const add = async (path: string) => {
    await fill('File path', path);
    await press('Add');
    await waitFor(() => expect(window.getByLabelText('File path')).toHaveValue(''));
  };
  /** From the files to the end of the preflight. */
  const goThrough = async (address: string) => {
    await press('Next');
    await fill('Address', address);
    await press('Next');
    await press('Next');
    await window.findByRole('button', { name: 'Retry all' });
  };
  const step = () =>
    window.getByRole('list', { name: 'Steps' }).querySelector('[aria-current="step"]')?.textContent?.trim();
  return { ...window, fill, press, add, goThrough, step };
}

describe('files', () => {
  it('are distinguished, and can be removed again', async () => {
    const { add, getByRole, findByText, queryByText, press, container } = await openWizard();
    await add('"/home/you/Downloads/kit.zip"');
    const list = within(getByRole('list', { name: 'Added files' }));
    expect(list.getAllByRole('listitem')).toHaveLength(4);
    await findByText('The certificate and its key match.', { exact: false });
    expect(getByRole('region', { name: 'Certificate' })).toHaveTextContent('CN=AWS IoT Certificate');
    await press('Remove Private key, kit.zip › pump-7.private.key');
    await findByText('The private key of the certificate is missing.');
    await expectAccessible(container);
    expect(queryByText('and its key match', { exact: false })).toBeNull();
  });

  it('are taken from where they are dropped, from a dialog, and one after the other', async () => {
    const { backend, press, findByRole, getAllByRole } = await openWizard();
    backend.dropFiles(['/a/client-certificate.crt']);
    backend.dropFiles(['/a/client.key']);
    await findByRole('button', { name: 'Remove Private key, client.key' });
    await press('Choose files…');
    await findByRole('button', { name: /root-CA.crt$/ });
    expect(getAllByRole('button', { name: /^Remove / })).toHaveLength(6);
  });

  it('that are locked ask for their passphrase, and say when it is a wrong one', async () => {
    const { add, fill, press, findByText, findByRole, getByLabelText, queryByLabelText, container, user } =
      await openWizard();
    await add('/kit/device.p12');
    await fill('Passphrase', 'guess');
    await press('Unlock');
    await findByText(/Wrong passphrase/);
    expect(getByLabelText('Passphrase')).toHaveAccessibleDescription(/Wrong passphrase/);
    expect(getByLabelText('Passphrase')).toHaveValue('');
    await expectAccessible(container);
    await user.type(getByLabelText('Passphrase'), 'wilco{Enter}');
    await findByRole('button', { name: 'Remove Private key, device.p12' });
    expect(queryByLabelText('Passphrase')).toBeNull();
  });

  it('that are wrong keep one on the step, in words', async () => {
    const { add, fill, press, findByText, step, getByLabelText } = await openWizard();
    await fill('File path', '/kit/gone.pem');
    await press('Add');
    await findByText(/The file \/kit\/gone.pem does not exist/);
    expect(getByLabelText('File path')).toHaveAccessibleDescription(/may have been moved/);
    await add('/kit/notes.pdf');
    await press('Next');
    await findByText(/These files cannot be used yet/);
    expect(step()).toBe('Files');
  });
});

describe('files that were kept too long', () => {
  it('are reported as no longer in memory, and added again', async () => {
    const { add, fill, press, app, backend, findByText, queryByRole, getByLabelText, findByRole } = await openWizard();
    await add('/kit/kit.zip');
    await backend.forgetKit(app.connections.wizard?.kit.view?.id ?? '');
    await fill('File path', '/kit/kit.zip');
    await press('Add');
    await findByText(/no longer in memory/);
    expect(queryByRole('button', { name: /^Remove / })).toBeNull();
    expect(getByLabelText('File path')).toHaveValue('/kit/kit.zip');
    await press('Add');
    await findByRole('list', { name: 'Added files' });
  });
});

describe('a new connection', () => {
  it('needs a kit and an endpoint, and no mouse', async () => {
    const { user, getByLabelText, findByRole, findByText, step, container, getByRole } = await openWizard();
    await waitFor(() => expect(getByLabelText('File path')).toHaveFocus());
    await findByText('Enter the address of the broker in the Endpoint step.');
    await user.keyboard('/kit/kit.zip{Enter}');
    await findByText(/and its key match/);
    await user.keyboard('{Enter}');
    await waitFor(() => expect(getByLabelText('Address')).toHaveFocus());
    await findByText('Enter the address of the broker.');
    expect(getByRole('radio', { name: 'AWS IoT Core' })).toBeChecked();
    await expectAccessible(container);
    await user.keyboard('a3k9-ats.iot.eu-central-1.amazonaws.com{Enter}');
    await waitFor(() => expect(step()).toBe('Topics'));
    getByRole('region', { name: 'Topics in use' });
    await expectAccessible(container);
    await user.keyboard('cmd{Enter}');
    await findByText('All steps passed');
    expect(getByRole('status', { name: 'Progress' })).toHaveTextContent('All steps passed.');
    await expectAccessible(container);
    await user.keyboard('{Enter}');
    await waitFor(() => expect(getByLabelText('Name')).toHaveFocus());
    expect(getByLabelText('Name')).toHaveValue('AWS IoT eu-central-1');
    await findByText('The preflight passed.');
    await expectAccessible(container);
    await user.keyboard('{Enter}');
    const card = within(await findByRole('article', { name: 'AWS IoT eu-central-1' }));
    card.getByText('mqtts://a3k9-ats.iot.eu-central-1.amazonaws.com:8883');
    card.getByText('cmd');
  });

  it('is validated field by field before the engine is called', async () => {
    const { press, fill, findByText, getByLabelText, step, container } = await openWizard();
    await press('Next');
    expect(getByLabelText('Address')).toHaveAttribute('aria-invalid', 'false');
    await press('Next');
    await findByText(/^Enter the broker’s address/);
    expect(getByLabelText('Address')).toHaveFocus();
    expect(getByLabelText('Address')).toHaveAccessibleDescription(/Enter the broker’s address/);
    await fill('Address', 'bench.local');
    await findByText('Read as mqtts://bench.local:8883 (8883, TLS).');
    await fill('Keep-alive', '1');
    await press('Next');
    await findByText(/whole number of seconds from 5/);
    expect(container.querySelector('details')).toHaveAttribute('open');
    await expectAccessible(container);
    await fill('Keep-alive', '60');
    await press('Next');
    await fill('Topic prefix', 'cmd/+');
    await press('Next');
    await findByText(/topic levels/);
    expect(step()).toBe('Topics');
  });

  it('shows beforehand the topics that it subscribes and publishes to', async () => {
    const { press, fill, getByRole } = await openWizard();
    await press('Next');
    await fill('Address', 'bench.local');
    await press('Next');
    const seen = getByRole('region', { name: 'Topics in use' });
    expect(seen).toHaveTextContent('+/resp');
    expect(seen).toHaveTextContent('device1/req');
    await fill('Topic prefix', 'cmd');
    await fill('Only these devices', 'pump-7\npump-8');
    expect(seen).toHaveTextContent('cmd/pump-7/resp');
    expect(seen).toHaveTextContent('cmd/pump-8/req');
  });

  it('can be reached another way', async () => {
    const { press, fill, getByRole, getByLabelText, user } = await openWizard();
    await press('Next');
    await fill('Address', 'x.iot.eu-west-1.amazonaws.com');
    await user.click(getByRole('radio', { name: 'TLS with a client certificate on port 443, for firewalls' }));
    expect(getByLabelText('Address')).toHaveValue('mqtts://x.iot.eu-west-1.amazonaws.com:443');
    expect(getByLabelText('ALPN')).toHaveValue('x-amzn-mqtt-ca');
    await user.click(getByRole('radio', { name: 'EMQX' }));
    await user.click(getByRole('radio', { name: 'WebSocket with TLS' }));
    expect(getByLabelText('Address')).toHaveValue('wss://x.iot.eu-west-1.amazonaws.com:8084/mqtt');
  });

  it('may trust one certificate alone', async () => {
    const { press, fill, getByRole, findByText, user, step } = await openWizard();
    await press('Next');
    await fill('Address', 'bench.local');
    await user.click(getByRole('radio', { name: 'One pinned certificate' }));
    await press('Next');
    await findByText(/Enter the path of the certificate file/);
    await fill('Certificate of the broker', '/home/you/server.crt');
    await press('Add the certificate of the broker');
    await findByText('Server certificate');
    await press('Next');
    expect(step()).toBe('Topics');
  });

  it('is gone on with after a look at another screen', async () => {
    const { press, goThrough, fill, findByRole, findByText, getByRole, user } = await openWizard();
    await goThrough('wrong-ca.local');
    await findByText(/signed by a CA that this connection does not trust/);
    await user.click(getByRole('link', { name: 'Settings' }));
    await findByRole('radio', { name: 'Dark' });
    await user.click(getByRole('link', { name: /Connections/ }));
    await user.click(await findByRole('button', { name: 'Endpoint' }));
    await fill('Address', 'fine.local');
    await findByText('Read as mqtts://fine.local:8883 (8883, TLS).');
    await press('Next');
    await press('Next');
    await findByText('All steps passed');
  });

  it('is kept in memory where there is no keyring, if the person wants that', async () => {
    const { add, goThrough, press, findByRole, findByText, user } = await openWizard({ keyring: false });
    await add('/kit/kit.zip');
    await goThrough('bench.local');
    await press('Next');
    await press('Save this connection');
    await findByText(/This computer has no keyring/);
    await user.click(await findByRole('checkbox', { name: 'Keep in memory until Wilco closes' }));
    await press('Save this connection');
    const card = within(await findByRole('article', { name: 'bench.local' }));
    card.getByText(/In memory until Wilco closes/);
  });

  it('asks before it discards the input, and then discards it', async () => {
    const { add, press, findByRole, queryByRole, backend, app, getByRole, user } = await openWizard();
    await press('Cancel');
    await findByRole('heading', { name: 'No connections yet' });
    await press('Add a connection…');
    await findByRole('heading', { name: 'Files' });
    await add('/kit/kit.zip');
    const kit = app.connections.wizard?.kit.view?.id ?? '';
    await press('Cancel');
    await press('Keep editing');
    expect(queryByRole('dialog')).toBeNull();
    await user.click(getByRole('link', { name: 'Settings' }));
    await user.click(getByRole('link', { name: /Connections/ }));
    await findByRole('list', { name: 'Added files' });
    await press('Cancel');
    await press('Discard changes');
    await findByRole('heading', { name: 'No connections yet' });
    await waitFor(() => expect(backend.leaveOut(kit, 1)).rejects.toMatchObject({ code: 'not_found' }));
  });
});

describe('a preflight', () => {
  it('stops where it fails, shows why, and continues from there', async () => {
    const { add, goThrough, press, findByRole, findByText, getByRole, fill, step, container, user } =
      await openWizard();
    await add('/kit/kit.zip');
    await goThrough('deny.iot.eu-central-1.amazonaws.com');
    await findByText('The broker closed the connection when Wilco subscribed to +/resp');
    const steps = within(getByRole('list', { name: 'Steps of the preflight' }));
    expect(steps.getAllByRole('listitem')[4]).toHaveTextContent(/Subscribe: Failed\./);
    expect(steps.getAllByRole('listitem')[5]).toHaveTextContent('Not tested');
    getByRole('region', { name: 'AWS IoT policy' });
    await expectAccessible(container);
    await press('Copy policy');
    await findByText('Copied');
    expect(await window.navigator.clipboard.readText()).toContain('topicfilter/+/resp');
    await press('Retry from here');
    await findByRole('button', { name: 'Retry from here' });
    await press('Change the topics…');
    expect(step()).toBe('Topics');
    await user.click(getByRole('button', { name: 'Endpoint' }));
    await fill('Address', 'fine.iot.eu-central-1.amazonaws.com');
    await press('Next');
    await press('Next');
    await findByText('All steps passed');
  });

  it('belongs to the files that it tried', async () => {
    const { add, goThrough, press, backend, findByText, findByRole, getByRole, queryByText, user } = await openWizard();
    await add('/kit/kit.zip');
    await goThrough('wrong-ca.local');
    await findByText(/signed by a CA that this connection does not trust/);
    const preflight = vi.spyOn(backend, 'preflight').mockImplementation(() => new Promise(() => undefined));
    await user.click(getByRole('button', { name: 'Topics' }));
    await press('Next');
    await findByText(/signed by a CA that this connection does not trust/);
    expect(preflight).not.toHaveBeenCalled();
    await user.click(getByRole('button', { name: 'Files' }));
    await add('/kit/kit.zip');
    for (let step = 0; step < 3; step += 1) await press('Next');
    await findByRole('button', { name: 'Stop' });
    expect(preflight).toHaveBeenCalledTimes(1);
    expect(queryByText(/signed by a CA that this connection does not trust/)).toBeNull();
  });

  it('offers to pin a self-signed certificate, with its fingerprint, and to use another version', async () => {
    const { goThrough, press, findByText, backend, fill, user, getByRole, step, container } = await openWizard();
    await goThrough('self-signed.local');
    await findByText(/certificate is self-signed/);
    await findByText(/5b:9e:34:91/);
    await expectAccessible(container);
    await press('Pin this certificate');
    await findByText('All steps passed');
    await user.click(getByRole('button', { name: 'Endpoint' }));
    await fill('Address', 'old.local');
    await press('Next');
    await press('Next');
    await press('Use MQTT 3.1.1');
    await findByText('All steps passed');
    await press('Next');
    expect(step()).toBe('Save');
    await press('Save this connection');
    await waitFor(async () => expect(await backend.connections()).toMatchObject([{ mqtt: '3.1.1' }]));
  });

  it('that was left unfinished starts again', async () => {
    const { press, fill, findByRole, queryByText } = await openWizard({ pace: 60 });
    await press('Next');
    await fill('Address', 'slow.local');
    await press('Next');
    await press('Next');
    await findByRole('button', { name: 'Stop' });
    await press('Back');
    await press('Next');
    await findByRole('button', { name: 'Stop' });
    expect(queryByText('Stopped')).toBeNull();
  });

  it('that failed can be saved all the same, knowingly', async () => {
    const { goThrough, press, findByText, findByRole } = await openWizard();
    await goThrough('wrong-ca.local');
    await findByText(/signed by a CA that this connection does not trust/);
    await findByRole('button', { name: 'Change the files…' });
    await press('Next');
    await findByText(/You can save it anyway/);
    await press('Save anyway');
    await findByRole('article', { name: 'wrong-ca.local' });
  });

  it('can be stopped, and starts again', async () => {
    const { press, fill, findByText, findByRole, getByRole } = await openWizard({ pace: 60 });
    await press('Next');
    await fill('Address', 'slow.local');
    await press('Next');
    await press('Next');
    expect(await findByRole('button', { name: 'Stop' })).toBeInTheDocument();
    expect(getByRole('button', { name: 'Next' })).toBeDisabled();
    await press('Stop');
    await findByText('Stopped');
    expect(getByRole('status', { name: 'Progress' })).toHaveTextContent(/^You stopped the test at /);
    expect(getByRole('button', { name: 'Next' })).toBeEnabled();
    await press('Retry all');
    await findByRole('button', { name: 'Stop' });
  });

  it('shows warnings and denied topics, and is not repeated needlessly', async () => {
    const { goThrough, press, findByText, step, getByText } = await openWizard();
    await goThrough('warn.local');
    await findByText(/Round trips stick/);
    await findByText(/denied the subscription to/);
    await press('Next');
    getByText('Not subscribed');
    await press('Back');
    expect(step()).toBe('Preflight');
    await findByText(/Round trips stick/);
  });
});

describe('a connection that is there', () => {
  async function openEdit() {
    const window = withHands(openWindow({ connections: [{ ...ROTTERDAM }] }));
    await window.user.click(await window.findByRole('link', { name: /Connections/ }));
    await window.press('Edit…');
    await window.findByRole('heading', { name: 'Edit Rotterdam cold chain' });
    return window;
  }

  it('is changed in the same wizard, and saved from any step', async () => {
    const { getByLabelText, getByRole, fill, press, findByRole, step, container } = await openEdit();
    expect(step()).toBe('Endpoint');
    expect(getByLabelText('Address')).toHaveValue('mqtts://mqtt.rtm.example.net:8883');
    expect(getByLabelText('Password')).toHaveAttribute('placeholder', 'unchanged');
    expect(getByRole('region', { name: 'In the keyring' })).toHaveTextContent('certificate with key');
    await expectAccessible(container);
    await fill('Name', 'Rotterdam');
    await press('Remove the password');
    expect(getByLabelText('Password')).toHaveAttribute('placeholder', 'none');
    await press('Save this connection');
    const card = within(await findByRole('article', { name: 'Rotterdam' }));
    card.getByText('CN=wilco-console, O=Cold chain', { exact: false });
  });

  it('hands over only what changes of its secrets', async () => {
    const { fill, press, backend, findByRole, user, getByRole } = await openEdit();
    await user.click(getByRole('button', { name: 'Files' }));
    await user.click(await findByRole('checkbox', { name: 'Delete the stored files' }));
    await user.click(getByRole('button', { name: 'Topics' }));
    await fill('Topic prefix', 'cmd');
    await press('Save this connection');
    await findByRole('article');
    const [saved] = await backend.connections();
    expect(saved).toMatchObject({ prefix: 'cmd', has: { certificate: false, password: true }, trust: 'platform' });
  });
});

describe('dialects', () => {
  it('are chosen from a list, Wilco’s own one at a time, and those that are rare on demand', async () => {
    const { press, fill, getByRole, queryByRole, user, findByRole, container } = await openWizard();
    await press('Next');
    await fill('Address', 'mqtt://localhost');
    await press('Next');
    await findByRole('heading', { name: 'Topics' });
    const box = (name: string) => getByRole('checkbox', { name });
    expect(box('Wilco')).toBeChecked();
    await user.click(box('Zigbee2MQTT'));
    await user.click(box('Plain text'));
    expect(box('Wilco')).not.toBeChecked();
    expect(queryByRole('checkbox', { name: 'IoT Atlas' })).toBeNull();
    const rare = DIALECTS.filter((dialect) => !dialect.own && !dialect.finds_devices);
    await press(`Show ${rare.length} more`);
    await user.click(box('IoT Atlas'));
    // Without Wilco's own, its topics are nobody's.
    await user.click(box('Plain text'));
    expect(queryByRole('region', { name: 'Topics in use' })).toBeNull();
    await user.click(box('Zigbee2MQTT'));
    await user.click(box('IoT Atlas'));
    await press('Next');
    getByRole('group', { name: 'Dialects' });
    expect(container).toHaveTextContent('Choose at least one dialect.');
  });

  it('have settings, which are kept and can be changed', async () => {
    const zigbee = { name: 'zigbee2mqtt', settings: { base: 'house/z2m' } };
    const speaking = { ...ROTTERDAM, dialects: [{ name: 'wilco', settings: {} }, zigbee] };
    const { backend, user, fill, press, findByRole, getByRole, getByLabelText, queryByLabelText, container } =
      withHands(openWindow({ connections: [speaking] }));
    await user.click(await findByRole('link', { name: /Connections/ }));
    const save = async () => {
      await press('Save this connection');
      await findByRole('article');
      return (await backend.connections())[0]?.dialects;
    };
    await findByRole('article');
    expect(container).toHaveTextContent('Wilco JSON, Zigbee2MQTT (house/z2m)');
    await press('Edit…');
    await press('Topics');
    expect(getByRole('checkbox', { name: 'Zigbee2MQTT' })).toBeChecked();
    expect(getByLabelText('Base topic')).toHaveValue('house/z2m');
    expect(queryByLabelText('Discovery prefix')).toBeNull();
    await user.click(getByRole('checkbox', { name: 'Home Assistant discovery' }));
    expect(getByLabelText('Discovery prefix')).toHaveAttribute('placeholder', 'homeassistant');
    await fill('Discovery prefix', 'ha');
    await user.click(getByRole('checkbox', { name: 'Tasmota' }));
    await expectAccessible(container);
    expect(await save()).toEqual([
      { name: 'wilco', settings: {} },
      { name: 'tasmota', settings: {} },
      zigbee,
      { name: 'homeassistant', settings: { prefix: 'ha' } },
    ]);

    await press('Edit…');
    await press('Topics');
    await user.clear(getByLabelText('Base topic'));
    await user.click(getByRole('checkbox', { name: 'Home Assistant discovery' }));
    expect(await save()).toEqual([
      { name: 'wilco', settings: {} },
      { name: 'tasmota', settings: {} },
      { name: 'zigbee2mqtt', settings: {} },
    ]);
  });

  it('have a choice where their file names the values', async () => {
    const { backend, user, press, findByRole, getByRole, container } = withHands(
      openWindow({ connections: [{ ...ROTTERDAM, dialects: [{ name: 'hono', settings: {} }] }] }),
    );
    await user.click(await findByRole('link', { name: /Connections/ }));
    await findByRole('article');
    await press('Edit…');
    await press('Topics');
    const settings = getByRole('group', { name: 'Dialects' }).querySelector('summary');
    if (settings === null) throw new Error('There are no settings.');
    await user.click(settings);
    const form = getByRole('combobox', { name: 'Form of request topics' });
    expect(form).toHaveValue('long');
    await user.selectOptions(form, 'short-without-tenant');
    await user.selectOptions(getByRole('combobox', { name: /One-way/ }), 'on');
    await expectAccessible(container);
    await press('Save this connection');
    await findByRole('article');
    expect((await backend.connections())[0]?.dialects).toEqual([
      { name: 'hono', settings: { variant: 'short-without-tenant', one_way: 'on' } },
    ]);
  });
});

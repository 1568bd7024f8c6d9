// A bare MQTT.js client that stores nothing. It is told on its standard input what to do, and answers with the milliseconds
// that it took: `many 10000` sends a command to each of so many devices, and ends with the last of their answers.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import mqtt from 'mqtt';

const [url, prefix, ca, cert, key] = process.argv.slice(2);
const client = await mqtt.connectAsync(url, {
  protocolVersion: 5,
  clean: true,
  clientId: `bench-mqttjs-${process.pid}`,
  ...(ca && { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) }),
});
client.stream.setNoDelay(true);

const pending = new Set();
let settled = () => {};
client.on('message', (_topic, payload) => {
  if (pending.delete(JSON.parse(payload).id) && pending.size === 0) settled();
});
await client.subscribeAsync(`${prefix}/+/resp`, { qos: 1 });
console.log('ready');

for await (const line of createInterface({ input: process.stdin })) {
  const [, count] = line.split(' ');
  const begun = performance.now();
  const all = new Promise((resolve) => (settled = resolve));
  for (let device = 0; device < Number(count); device++) publish(device);
  await all;
  console.log(performance.now() - begun);
}
await client.endAsync();

function publish(device) {
  const id = randomUUID();
  const topic = `${prefix}/device-${String(device).padStart(5, '0')}`;
  const now = Date.now();
  const request = { id, command: 'led', args: { on: true }, issued_at: now, expires_at: now + 60_000, attempt: 1 };
  pending.add(id);
  client.publish(`${topic}/req`, JSON.stringify(request), {
    qos: 1,
    properties: {
      payloadFormatIndicator: true,
      messageExpiryInterval: 60,
      responseTopic: `${topic}/resp`,
      correlationData: Buffer.from(id),
      contentType: 'application/json',
    },
  });
}

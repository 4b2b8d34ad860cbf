import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AlarmNotification, readNotification } from '../../src/cloudwatch/notification.ts';
import { cloneCheckout } from '../helpers/clone.ts';
import { runStart } from '../helpers/start-run.ts';

let clone = '';
let webhook: Server;

/** What SNS posted to the webhook: kinds of messages, and the notifications in them. */
const posted: string[] = [];
const received: AlarmNotification[] = [];

beforeAll(async () => {
  webhook = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', async () => {
      const { Type, SubscribeURL, Message } = JSON.parse(body);
      posted.push(Type);
      // As a webhook confirms: by a GET of the address that it is sent.
      if (Type === 'SubscriptionConfirmation') await fetch(SubscribeURL);
      const notification = readNotification(Message ?? '');
      if (notification !== undefined) received.push(notification);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(webhook, 'listening');
  clone = cloneCheckout();
  const { port } = webhook.address() as AddressInfo;
  writeFileSync(
    path.join(clone, 'millrace.config.ts'),
    `import { DEV, type EnvironmentConfig } from './lib/config/environment.ts';
     const environments: Readonly<Record<string, EnvironmentConfig>> = {
       dev: { ...DEV, alarms: { ...DEV.alarms, webhooks: ['http://127.0.0.1:${port}/hook'] } },
     };
     export default environments;`,
  );
});

afterAll(() => {
  webhook.close();
  webhook.closeAllConnections();
  rmSync(clone, { recursive: true, force: true });
});

interface Raised {
  readonly alarm: string;
  readonly cleared: string | null;
  readonly notifications: readonly AlarmNotification[];
}

it('bad events and a mapping that stands still raise alarms that arrive, say what matters, and clear', async () => {
  // A minute of CloudWatch passes in a second; events flow for three of them before the stall.
  const flags = ['--events', '6000', '--bad', '5', '--stall', '12', '--alarm-speed', '60'];
  const result = await runStart<{ equal: boolean; alarms: readonly Raised[] }>(clone, [
    '--json',
    ...flags,
  ]);
  const of = (id: string) => result.alarms.filter(({ alarm }) => alarm === `flights-dev-${id}`);

  expect(result.equal).toBe(true);
  for (const id of ['QuarantineRate', 'IteratorAge', 'Freshness', 'Behind']) {
    expect(of(id).length, id).toBeGreaterThan(0);
    for (const { cleared } of of(id)) expect(cleared, id).not.toBeNull();
  }
  // One message with the cause: the alarms that it speaks for tell nobody.
  for (const id of ['IteratorAge', 'Freshness']) {
    for (const { notifications } of of(id)) expect(notifications, id).toEqual([]);
  }
  const states = (id: string) =>
    of(id).flatMap(({ notifications }) => notifications.map(({ state }) => state));
  expect(states('QuarantineRate')).toEqual(expect.arrayContaining(['ALARM', 'OK']));
  expect(states('Behind')).toEqual(expect.arrayContaining(['ALARM', 'OK']));

  expect(posted[0]).toBe('SubscriptionConfirmation');
  const quarantine = received.find(
    ({ alarm, state }) => alarm === 'flights-dev-QuarantineRate' && state === 'ALARM',
  );
  const [what, , todo, look] = quarantine?.description.split('\n') ?? [];
  expect(what).toBe('flights-dev: more than 1 % of the events went into quarantine.');
  expect(Date.now() - (quarantine?.sinceMs ?? 0)).toBeLessThan(120_000);
  expect(quarantine?.reason).toMatch(
    /out of the last 3 datapoints \[[\d.]+ .*greater than the threshold \(1\.0\)/,
  );
  expect(todo).toBe('What to do: docs/RUNBOOK.md#quarantinerate');
  expect(look).toMatch(
    /^Dashboard flights-dev-processing: https:.*#dashboards\/dashboard\/flights-dev-processing$/,
  );
  expect(
    received.some(({ alarm, state }) => alarm === 'flights-dev-Behind' && state === 'ALARM'),
  ).toBe(true);
}, 300_000);

import { LambdaClient } from '@aws-sdk/client-lambda';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/aws/clock.ts';
import { makeAwsMappingSwitch } from '../../../src/adapters/aws/mapping-switch.ts';
import { CLIENT_DEFAULTS } from '../../../src/adapters/aws/send.ts';
import { DeadlineError, TransientError } from '../../../src/core/errors.ts';

/** A client whose requests end here. */
function clientThat(answer: (input: unknown) => unknown) {
  const client = new LambdaClient({
    ...CLIENT_DEFAULTS,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  client.middlewareStack.add(
    () => async (request) => ({ output: answer(request.input) as never, response: {} }),
    { step: 'initialize' },
  );
  return client;
}

const soon = () => ({ deadlineMs: systemClock.now() + 1_000 });

it('switches its mapping on', async () => {
  const sent: unknown[] = [];
  const client = clientThat((input) => sent.push(input));
  await makeAwsMappingSwitch({ client, mappingId: 'm-1', clock: systemClock }).enable(soon());
  expect(sent).toEqual([{ UUID: 'm-1', Enabled: true }]);
});

it('says that it may go through later, or that the time is over', async () => {
  const client = clientThat(() => {
    throw Object.assign(new Error('busy'), { name: 'ResourceInUseException' });
  });
  const own = makeAwsMappingSwitch({ client, mappingId: 'm-1', clock: systemClock });
  await expect(own.enable(soon())).rejects.toThrow(TransientError);
  await expect(own.enable({ deadlineMs: 0 })).rejects.toThrow(DeadlineError);
});

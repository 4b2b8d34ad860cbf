import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { expect, it } from 'vitest';
import { swap } from '../../../src/local/replay/command.ts';
import type { OpenReplay } from '../../../src/local/replay/open.ts';

const NAMES = ['LedgerTable', 'AggregatesTable', 'QuarantineTable', 'ReplayerName'];

/** A deployment with a generation 3 of one key. */
function openWithPart(): OpenReplay {
  const cloudFormation = new CloudFormationClient({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const outputs = [...NAMES.map((name) => [name, 'x']), ['Replay', '{"fromMs":0,"key":"ORD"}']];
  const Outputs = outputs.map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue }));
  cloudFormation.middlewareStack.add(
    () => async () => ({ output: { Stacks: [{ Outputs }] } as never, response: {} }),
    { step: 'initialize' },
  );
  const found = { clients: { cloudFormation }, pipeline: 'flights', stackEnvironment: 'dev' };
  return found as unknown as OpenReplay;
}

it('a generation of a part of the records can’t go live', async () => {
  const way = { request: {}, signal: new AbortController().signal, onProgress: () => undefined };

  const error = await swap(openWithPart(), '3', way).catch((thrown: unknown) => thrown);

  expect(error).toMatchObject({ exitCode: 1, message: "Generation 3 can't go live" });
});

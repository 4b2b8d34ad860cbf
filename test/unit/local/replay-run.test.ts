import { LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { emptyReplayReport, type ReplayReport } from '../../../src/handlers/replay-report.ts';
import { runReplay } from '../../../src/local/replay/run.ts';

type Answer = Partial<ReplayReport> | 'dies';

/** A function that answers these, the last one again and again. */
function replayerThat(...answers: readonly Answer[]) {
  const asked: unknown[] = [];
  const lambda = new LambdaClient({
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  lambda.middlewareStack.add(
    () => async (request) => {
      const { Payload } = request.input as { Payload: string };
      asked.push(JSON.parse(Payload));
      const answer = answers[Math.min(asked.length, answers.length) - 1];
      const text = JSON.stringify({ ...emptyReplayReport(), ...(answer === 'dies' ? {} : answer) });
      const output = {
        Payload: { transformToString: () => text },
        ...(answer === 'dies' ? { FunctionError: 'Unhandled' } : {}),
      };
      return { output: output as never, response: {} };
    },
    { step: 'initialize' },
  );
  return { asked, replayer: { lambda, name: 'replayer' } };
}

const { signal } = new AbortController();
const way = { request: { rate: 50 }, signal, onProgress: () => undefined };

describe('a run of a replay', () => {
  it('calls until everything is in, and adds up what was done', async () => {
    const { asked, replayer } = replayerThat(
      { read: 3, accepted: 2, repeated: 1, fraction: 0.5 },
      { read: 2, accepted: 2, fraction: 1, state: 'complete' },
    );
    const left: (number | undefined)[] = [];
    const onProgress = (_: unknown, seconds: number | undefined) => left.push(seconds);

    const sums = await runReplay({ ...way, replayer, onProgress });

    expect(sums).toMatchObject({ state: 'complete', read: 5, accepted: 4, repeated: 1, calls: 2 });
    expect(asked).toEqual([
      { rate: 50, seconds: 15 },
      { rate: 50, seconds: 15 },
    ]);
    expect(left).toEqual([undefined, 0]);
  });

  it('ends where records are missing, and tells each gap once', async () => {
    const gap = { epoch: 'e', shard: 1, after: '1', until: '5', certain: true };
    const { replayer } = replayerThat({ read: 1, gaps: [gap] }, { state: 'gap', gaps: [gap] });

    expect(await runReplay({ ...way, replayer })).toMatchObject({ state: 'gap', gaps: [gap] });
  });

  it('goes on after a call that died, and gives up when they keep dying', async () => {
    const once = replayerThat('dies', { read: 1, state: 'complete' });
    expect(await runReplay({ ...way, replayer: once.replayer })).toMatchObject({ read: 1 });

    const always = replayerThat('dies');
    await expect(runReplay({ ...way, replayer: always.replayer })).rejects.toThrow('failed');
    expect(always.asked).toHaveLength(10);
  });

  it('gives up when calls finish nothing, saying why', async () => {
    const { replayer } = replayerThat({ stops: ['cells: no answer'] });
    const error = await runReplay({ ...way, replayer }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ detail: expect.stringContaining('cells: no answer') });
  });
});

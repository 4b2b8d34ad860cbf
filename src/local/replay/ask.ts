import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { GenerationDescription, RowsPage, RowsQuery } from '../../handlers/generation-rows.ts';
import type { ReplayRequest } from '../../handlers/replay.ts';
import type { ReplayReport } from '../../handlers/replay-report.ts';
import { CommandError, EXIT } from '../local-error.ts';

/** The function that replays, and answers about a generation. */
export interface Replayer {
  readonly lambda: LambdaClient;
  readonly name: string;
}

/** A call of the function that ended by an error of its own, or died. */
export class ReplayCallError extends CommandError {
  constructor(replayer: string, detail: string) {
    super('The function that replays failed', {
      exitCode: EXIT.refused,
      detail: `${replayer}: got ${detail}, expected it to come to its end`,
      next: 'read its log group; what was replayed is kept, and the same command goes on from there',
    });
  }
}

/** Replays for a while. @throws ReplayCallError */
export function askReplay(replayer: Replayer, request: ReplayRequest): Promise<ReplayReport> {
  return ask(replayer, request);
}

/** What a generation has. @throws ReplayCallError */
export function askDescription(replayer: Replayer): Promise<GenerationDescription> {
  return ask(replayer, { describe: true });
}

/** Some results. @throws ReplayCallError */
export function askRows(replayer: Replayer, rows: RowsQuery): Promise<RowsPage> {
  return ask(replayer, { rows });
}

async function ask<Answer>({ lambda, name }: Replayer, request: object): Promise<Answer> {
  const command = new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(request) });
  const answer = await lambda.send(command);
  const text = answer.Payload?.transformToString() ?? '';
  if (answer.FunctionError !== undefined) throw new ReplayCallError(name, text.slice(0, 500));
  return JSON.parse(text);
}

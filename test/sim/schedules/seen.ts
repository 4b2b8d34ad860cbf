import type { Observed, Request, Run } from './observe.ts';
import { itemsOf, requestsOf } from './observe.ts';
import { Bytes } from './stored/bytes.ts';
import { differs } from './stored/facts.ts';

/** What holds of each request and each run, whatever goes wrong; of the small pipeline, whose columns begin with a count. */
export function checkSeen(observed: Observed): readonly string[] {
  return [
    ...observed.requests.flatMap(checkCondition),
    ...observed.requests.flatMap(checkCells),
    ...observed.runs.flatMap((run) => checkRun(observed, run)),
  ];
}

/** A write happens where the item is absent, or where an attribute has a value: nothing else is a condition. */
function checkCondition({ operation, input }: Request): readonly string[] {
  if (!operation.endsWith('.putIf') || !Array.isArray(input)) return [];
  return input.flatMap(({ condition }) => {
    const { type, attribute, value } = condition ?? {};
    const isOne =
      type === 'absent' || (type === 'equals' && attribute !== '' && value !== undefined);
    return isOne ? [] : [`${operation}: got the condition ${JSON.stringify(condition)}`];
  });
}

/** No cell is stored that no event was folded into. */
function checkCells({ operation, input }: Request): readonly string[] {
  if (operation !== 'aggregates.putIf') return [];
  return itemsOf(input).flatMap(({ pk, sk, d }) => {
    const bytes = new Bytes(d);
    bytes.number(1);
    const empty: string[] = [];
    while (bytes.rest > 0) {
      bytes.varint();
      const group = bytes.value();
      const [count] = [bytes.value()].flat();
      if (!(Number(count) >= 1)) empty.push(`page ${pk} ${sk}: an empty cell ${group} is written`);
    }
    return empty;
  });
}

function checkRun(observed: Observed, run: Run): readonly string[] {
  const { invocation, startMs, result } = run;
  const own = requestsOf(observed, run);
  const answerMs = Math.min(500, (invocation.deadlineMs - startMs) / 10);
  const late = own.filter(({ deadlineMs }) => deadlineMs > invocation.deadlineMs - answerMs);
  const conflicts = own.filter(({ operation }) => /^(aggregates|ledger).putIf$/.test(operation));
  const count = conflicts.reduce((sum, one) => sum + conflictsIn(one), 0);
  const isWhole = result?.report.stops.length === 0;
  return [
    ...late.map(({ operation }) => `${invocation.requestId}: ${operation} may last too long`),
    // Notes of tries, and the key of the ids, are nobody's conflict.
    ...(isWhole
      ? differs(`${invocation.requestId}: conflicts`, result.report.conflicts, count)
      : []),
  ];
}

function conflictsIn({ operation, input, answer }: Request): number {
  const counts =
    operation === 'aggregates.putIf' ||
    itemsOf(input).some(({ sk }) => String(sk).startsWith('e#'));
  if (!counts || !Array.isArray(answer)) return 0;
  return answer.filter(({ status }) => status === 'conflict').length;
}

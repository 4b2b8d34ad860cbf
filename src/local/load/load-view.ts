import Table from 'cli-table3';
import { createLogUpdate } from 'log-update';
import { makeView, quietView } from '../view.ts';
import { type LoadLimits, type LoadStep, tooMuch } from './knee.ts';
import { kneeText } from './load-page.ts';
import type { LoadResult, LoadView } from './load-run.ts';

/** Live in a terminal, a line for each rate elsewhere, nothing when quiet. On stderr. */
export function makeLoadView(quiet: boolean): LoadView {
  if (quiet) return { ...quietView, progress: () => undefined, step: () => undefined };
  const view = makeView(false);
  const update = process.stderr.isTTY ? createLogUpdate(process.stderr) : undefined;
  return {
    ...view,
    progress: (text) => update?.(text),
    step: (step) => {
      update?.clear();
      view.notice(stepText(step));
    },
    done: () => update?.done(),
  };
}

function stepText({ rate, finished, put, result }: LoadStep): string {
  return `${rate}/s: ${finished} results, p50 ${result.p50} ms, p99 ${result.p99} ms (taken: ${put.p50}, ${put.p99})`;
}

/** What was found, for a terminal. */
export function renderLoad(result: LoadResult, limits: LoadLimits): string {
  return `${tableOf(result, limits)}\n${kneeText(result, limits)}`;
}

function tableOf({ steps }: LoadResult, limits: LoadLimits): string {
  const table = new Table({
    head: ['rate/s', 'due', 'stored', 'refused', 'put p99', 'p50', 'p99', 'p99.9', 'verdict'],
    style: { head: [], border: [] },
    colAligns: [...Array.from({ length: 8 }, () => 'right' as const), 'left'],
  });
  const text = (value: number) => Math.round(value).toLocaleString('en-US');
  for (const step of [...steps].sort((left, right) => left.rate - right.rate)) {
    const { rate, offered, finished, refused, put, result } = step;
    const numbers = [
      rate,
      offered,
      finished,
      refused,
      put.p99,
      result.p50,
      result.p99,
      result.p999,
    ];
    table.push([...numbers.map(text), tooMuch(step, limits) ?? 'holds']);
  }
  return table.toString();
}

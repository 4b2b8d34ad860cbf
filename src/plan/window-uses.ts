import type { GroupRate } from './place.ts';
import { type WindowSample, writerOf } from './sample.ts';
import type { StateBytes } from './state-bytes.ts';
import { type WindowUse, windowUse } from './window-units.ts';
import type { Looked } from './writer-flow.ts';

/** What the windows of a pipeline are used with. */
export interface WindowTraffic {
  /** Events a second. */
  readonly rate: number;
  readonly states: ReadonlyMap<string, StateBytes>;
  readonly looked: Looked;
  readonly containers: number;
  /** Number of writers. */
  readonly writers: number;
}

/** Each window's use by its name, of all writers. */
export function windowUses(
  windows: readonly WindowSample[],
  traffic: WindowTraffic,
): ReadonlyMap<string, WindowUse> {
  return new Map(windows.map((window) => [window.aggregate.name, useOf(window, traffic)]));
}

function useOf(window: WindowSample, traffic: WindowTraffic): WindowUse {
  const { aggregate } = window;
  const { states, looked, containers, writers, rate } = traffic;
  const stateBytes = states.get(aggregate.name) ?? (() => aggregate.stateBytes);
  const groups = groupRates(window, writers, rate);
  const uses = looked.flows.map((flow) =>
    windowUse({
      aggregate,
      stateBytes,
      groups: groups.get(flow.writer) ?? [],
      rate: flow.rate,
      events: flow.events,
      containers,
    }),
  );
  const sum = (of: (use: WindowUse) => number) =>
    looked.scale * uses.reduce((total, use) => total + of(use), 0);
  return {
    writeUnits: sum((use) => use.writeUnits),
    readUnits: sum((use) => use.readUnits),
    pageWrites: sum((use) => use.pageWrites),
    cellUnits: sum((use) => use.cellUnits),
    storedBytes: sum((use) => use.storedBytes),
    liveCells: sum((use) => use.liveCells),
    hottestUnits: Math.max(0, ...uses.map((use) => use.hottestUnits)),
  };
}

/** Rows a second of each group, by the writer that sees them. */
export function groupRates(
  { shares }: WindowSample,
  writers: number,
  rate: number,
): ReadonlyMap<number, readonly GroupRate[]> {
  const byWriter = Map.groupBy(shares, ({ key }) => writerOf(key, writers));
  return new Map(
    [...byWriter].map(([writer, some]) => {
      const rates = new Map<string, number>();
      for (const { group, weight } of some) {
        rates.set(group, (rates.get(group) ?? 0) + weight * rate);
      }
      return [writer, [...rates].map(([group, each]) => ({ group, rate: each }))];
    }),
  );
}

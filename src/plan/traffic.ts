import { decodeGroup, encodeGroup } from '../core/cell.ts';
import { DefinitionError } from '../core/errors.ts';
import type { GroupShare, Sample, WindowSample } from './sample.ts';

/** How traffic goes over the day. */
export type ProfileName = 'flat' | 'daily' | 'bursts';

/** A rate and the share of the time that it lasts; rates are relative to the mean. */
export interface Level {
  readonly share: number;
  readonly factor: number;
}

/** Four steps of six hours: nights at a third of the mean, a peak at twice of it nearly. */
const DAILY: readonly Level[] = [
  { share: 1 / 4, factor: 0.3 },
  { share: 1 / 4, factor: 0.7 },
  { share: 1 / 4, factor: 1.2 },
  { share: 1 / 4, factor: 1.8 },
];

/** Five minutes of each hour at ten times the rate between them. */
const BURST_SHARE = 1 / 12;
const BURST = 10;

/** The levels of a profile; their mean is 1. */
export const PROFILES: Readonly<Record<ProfileName, readonly Level[]>> = {
  flat: [{ share: 1, factor: 1 }],
  daily: DAILY,
  bursts: burstLevels(),
};

function burstLevels(): readonly Level[] {
  const base = 1 / (1 - BURST_SHARE + BURST_SHARE * BURST);
  return [
    { share: 1 - BURST_SHARE, factor: base },
    { share: BURST_SHARE, factor: base * BURST },
  ];
}

/** The highest rate of a profile, relative to the mean. */
export function peakOf(levels: readonly Level[]): number {
  return Math.max(...levels.map(({ factor }) => factor));
}

/** How a sample's keys are changed. */
export interface KeyChange {
  /** Distinct keys; undefined: as many as the sample has. */
  readonly keys?: number;
  /** Share of the events that the most frequent key has, 0 to 1; undefined: as in the sample. */
  readonly hot?: number;
  /** The field of the key, to change it in groups too; undefined where it is computed. */
  readonly field: string | undefined;
}

/** The sample as if it had other keys: each becomes several alike, or only some stay. */
export function withKeys(sample: Sample, change: KeyChange): Sample {
  const spread = change.keys === undefined ? sample : spreadKeys(sample, change.keys, change.field);
  return change.hot === undefined ? spread : heatKey(spread, change.hot);
}

function spreadKeys(sample: Sample, count: number, field: string | undefined): Sample {
  if (!Number.isInteger(count) || count < 1) {
    throw new DefinitionError('keys', count, 'a whole number from 1 on');
  }
  const known = [...sample.keys].sort((left, right) => right[1] - left[1]);
  const kept = everyNth(known, count);
  const keptShare = kept.reduce((sum, [, share]) => sum + share, 0);
  const copies = new Map(
    kept.map(([key], index) => [
      key,
      Math.floor(count / kept.length) + (index < count % kept.length ? 1 : 0),
    ]),
  );
  const renamed = (key: string, copy: number) => (copy === 0 ? key : `${key}${copy.toString(36)}`);
  const keys = kept.flatMap(([key, share]) => {
    const times = copies.get(key) ?? 1;
    return Array.from(
      { length: times },
      (_, copy) => [renamed(key, copy), share / keptShare / times] as const,
    );
  });
  const windows = sample.windows.map((window) => {
    const at = field === undefined ? -1 : window.aggregate.by.indexOf(field);
    return {
      ...window,
      shares: window.shares.flatMap((one): GroupShare[] => {
        const times = copies.get(one.key) ?? 0;
        const weight = one.weight / keptShare / Math.max(1, times);
        return Array.from({ length: times }, (_, copy) => {
          const key = renamed(one.key, copy);
          return {
            key,
            weight,
            group: at < 0 || copy === 0 ? one.group : replaced(one.group, at, key),
          };
        });
      }),
    };
  });
  return { ...sample, keys: new Map(keys), windows };
}

/** So many at most, spread over all. */
function everyNth<One>(all: readonly One[], count: number): readonly One[] {
  if (count >= all.length) return all;
  return Array.from(
    { length: count },
    (_, index) => all[Math.floor((index * all.length) / count)],
  ).flatMap((one) => (one === undefined ? [] : [one]));
}

function replaced(group: string, at: number, key: string): string {
  return encodeGroup(decodeGroup(group).map((value, index) => (index === at ? key : value)));
}

/** The most frequent key gets the given share, the others what is left in their proportion. */
function heatKey(sample: Sample, hot: number): Sample {
  if (!(hot > 0 && hot <= 1)) throw new DefinitionError('hot', hot, 'a share above 0, up to 1');
  const [first] = [...sample.keys].sort((left, right) => right[1] - left[1]);
  if (first === undefined) return sample;
  const [name, share] = first;
  const rest = share === 1 ? 0 : (1 - hot) / (1 - share);
  const factor = (key: string) => (key === name ? hot / share : rest);
  const heat = (window: WindowSample): WindowSample => ({
    ...window,
    shares: window.shares.map((one) => ({ ...one, weight: one.weight * factor(one.key) })),
  });
  return {
    ...sample,
    keys: new Map([...sample.keys].map(([key, one]) => [key, one * factor(key)])),
    windows: sample.windows.map(heat),
  };
}

import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { definePipeline } from '#millrace';
import { compile } from '../../../src/core/compile.ts';
import type { AnyPipeline } from '../../../src/core/pipeline/types.ts';
import { compareVersions, versionFacts } from '../../../src/core/shape.ts';
import { changedPipeline, smallPipeline } from '../../helpers/small-pipeline.ts';

function factsOf(pipeline: AnyPipeline) {
  return versionFacts(pipeline, compile(pipeline));
}

function small(over: {
  readonly size?: '1 hour' | '2 hours';
  readonly by?: 'place' | 'kind';
  readonly bounds?: readonly number[];
  readonly percents?: readonly number[];
  readonly partitions?: number;
}) {
  const { size = '1 hour', by = 'place', bounds = [1, 2], percents = [50], partitions = 2 } = over;
  return definePipeline({
    name: 'small',
    schema: v.object({ place: v.string(), kind: v.string(), at: v.number(), amount: v.number() }),
    key: 'place',
    time: 'at',
    partitions,
    windows: ({ tumbling, histogram, percentiles }) => ({
      places: tumbling(size, {
        by,
        keep: { spread: histogram('amount', bounds), amount: percentiles('amount', percents) },
      }),
    }),
  });
}

describe('a switch', () => {
  it('allows changed functions, new windows and windows that are left out', () => {
    const { windows, refusals } = compareVersions(factsOf(smallPipeline), factsOf(changedPipeline));
    expect(refusals).toEqual([]);
    expect(windows.map(({ window, change }) => [window, change])).toEqual([
      ['places', 'kept'],
      ['weeks', 'new'],
      ['days', 'gone'],
    ]);
  });

  it('allows what is only asked of a state otherwise', () => {
    const { windows } = compareVersions(factsOf(small({})), factsOf(small({ percents: [99] })));
    expect(windows).toMatchObject([{ change: 'kept' }]);
  });

  it.each([
    ['the size', { size: '2 hours' as const }],
    ['the group', { by: 'kind' as const }],
    ['a histogram’s bounds', { bounds: [1, 3] }],
  ])('does not allow that a window changes %s', (_what, over) => {
    const { windows, refusals } = compareVersions(factsOf(small({})), factsOf(small(over)));
    expect(windows).toMatchObject([{ change: 'changed' }]);
    expect(refusals).toEqual([expect.stringContaining('window places: got')]);
  });

  it('does not allow other columns, or columns in another order', () => {
    const keep = smallPipeline.windows.places.keep;
    const entries = Object.entries(keep);
    for (const changed of [entries.slice(1), entries.toReversed()]) {
      const windows = {
        ...smallPipeline.windows,
        places: { ...smallPipeline.windows.places, keep: Object.fromEntries(changed) },
      };
      const after = factsOf({ ...smallPipeline, windows } as AnyPipeline);
      expect(compareVersions(factsOf(smallPipeline), after).refusals.length).toBe(1);
    }
  });

  it('does not allow another number of partitions', () => {
    const after = factsOf(small({ partitions: 4 }));
    expect(compareVersions(factsOf(small({})), after).refusals).toContainEqual(
      'partitions: got 4, expected 2, as the stream was made with',
    );
  });
});

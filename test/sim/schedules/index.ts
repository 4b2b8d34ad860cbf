import { AGGREGATED } from './aggregated.ts';
import { AGGREGATES } from './aggregates.ts';
import { ARCHIVE, ARCHIVE_LOSSES, ARCHIVE_RECREATED } from './archive.ts';
import { ARCHIVED } from './archived.ts';
import { ATTEMPTS } from './attempts.ts';
import { CLOSED } from './closed.ts';
import { CLOSING } from './closing.ts';
import { COLD } from './cold.ts';
import { COLUMNS } from './columns.ts';
import { CONTENDED, CONTENDED_WIDE, LONG } from './contended.ts';
import { CROWDED } from './crowded.ts';
import { DAMAGED } from './damaged.ts';
import { DERIVED } from './derived.ts';
import { EDGES } from './edges.ts';
import { FED, FED_OUTAGE } from './fed.ts';
import { IDLE, IDLE_SHORT } from './idle.ts';
import { KEEPER } from './keeper.ts';
import { KEYS } from './keys.ts';
import { KILLERS, KILLERS_AND_FAULTS } from './killers.ts';
import { MANY } from './many.ts';
import { ORIGINS } from './origins.ts';
import { OVERTAKEN } from './overtaken.ts';
import { PLAIN } from './plain.ts';
import { REFUSED } from './refused.ts';
import type { Schedule } from './schedule.ts';
import { SHAPES } from './shapes.ts';
import { SHORT } from './short.ts';
import { SLOW } from './slow.ts';
import { STORED, STORED_EVENTS, STORED_WIDE } from './stored.ts';
import { SWITCHED, SWITCHED_SHARDS } from './switched.ts';
import { SHARDS, SMALL, WIDE } from './usual.ts';
import { STORED_VALUES, UNSTORABLE_VALUES } from './values.ts';

/**
 * Every family of simulations: `test/sim/schedules.test.ts` holds that each passes, and
 * `npm run mutants` that they notice what is changed in the handlers and the core.
 */
export const SCHEDULES: readonly Schedule[] = [
  STORED,
  STORED_WIDE,
  STORED_EVENTS,
  STORED_VALUES,
  UNSTORABLE_VALUES,
  PLAIN,
  REFUSED,
  OVERTAKEN,
  COLD,
  SHAPES,
  AGGREGATED,
  AGGREGATES,
  SHORT,
  SLOW,
  DAMAGED,
  EDGES,
  SMALL,
  SHARDS,
  WIDE,
  COLUMNS,
  CONTENDED,
  CONTENDED_WIDE,
  MANY,
  LONG,
  CROWDED,
  KILLERS,
  ATTEMPTS,
  KILLERS_AND_FAULTS,
  SWITCHED,
  SWITCHED_SHARDS,
  FED,
  FED_OUTAGE,
  DERIVED,
  ORIGINS,
  KEYS,
  KEEPER,
  IDLE,
  IDLE_SHORT,
  CLOSED,
  CLOSING,
  ARCHIVED,
  ARCHIVE,
  ARCHIVE_LOSSES,
  ARCHIVE_RECREATED,
];

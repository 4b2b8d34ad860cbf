/**
 * Which sources are mutated: the handlers that write, and the protocol in the core. Left out are
 * definitions and their compilation, schemas, accumulators, texts of errors, documents: none of them
 * decides whether an event is counted once. Left out too is what only reads, for queries and commands:
 * it is no part of the simulation. So are the jobs that a person starts (replays, redrives, recoveries, the
 * announcement of a switch) and what scales a stream: their simulations are no part of the battery yet.
 */
export const SCOPE: readonly string[] = [
  `src/handlers/!(${[
    'read-*',
    'list-archive',
    'check-archive',
    'replay*',
    'generation-*',
    '*-generation',
    'long-lived',
    'redrive*',
    'redriven',
    'plan-redrive',
    'counted-ids',
    'recover',
    'announce-switch',
    'scale',
  ].join('|')}).ts`,
  `src/core/{${[
    'archive-tail',
    'attempt',
    'cell',
    'closing',
    'derive',
    'folded-ids',
    'guarded',
    'hash',
    'id-table',
    'identify',
    'layout',
    'ledger',
    'origin',
    'page',
    'partition',
    'plan',
    'plan-packs',
    'position',
    'registry',
    'utf8',
    'value-codec',
    'varint',
    'version',
    'window',
    'writer',
  ].join(',')}}.ts`,
];

/** The file that exports the simulations which have to tell. */
export const BATTERY = 'test/sim/schedules/index.ts';

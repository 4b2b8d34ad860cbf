/**
 * Which sources are mutated: the handlers that write, and the protocol in the core. Left out are
 * definitions and their compilation, schemas, accumulators, texts of errors, documents: none of them
 * decides whether an event is counted once. Left out too is what only reads, for queries and commands:
 * it is no part of the simulation. So is what runs a replay: that goes through the consumer's own path, and has
 * a simulation of its own, which is no part of the battery yet.
 */
export const SCOPE: readonly string[] = [
  'src/handlers/!(read-*|list-archive|check-archive|replay*|*-generation|generation-*).ts',
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
    'window',
    'writer',
  ].join(',')}}.ts`,
];

/** The file that exports the simulations which have to tell. */
export const BATTERY = 'test/sim/schedules/index.ts';

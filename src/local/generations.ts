import type { ReplaySettings } from '../core/contract.ts';
import { InvariantError } from '../core/errors.ts';
import { FIRST_GENERATION, generationStackName } from '../core/generation.ts';
import type { LocalClients } from './clients.ts';
import { type Deployment, stackOutputs } from './stacks.ts';

/** A generation of a deployment. */
export interface DeployedGeneration {
  readonly name: string;
  readonly ledgerTable: string;
  readonly aggregatesTable: string;
  readonly quarantineTable: string;
  readonly replayerName: string;
  /** Brings refused events back; undefined for one of a part of the records, and in older stacks. */
  readonly redriverName: string | undefined;
  /** What it was rebuilt from; null for the first one. */
  readonly replay: ReplaySettings | null;
  /** What goes on with the stream; undefined for one of a part of the records. */
  readonly consumer: { readonly name: string; readonly mappingId: string } | undefined;
}

/** Most generations that are looked for beyond a number that isn't there. */
const NUMBERS_MAX = 100;

/** The stacks that a generation is looked for in. */
export interface GenerationsOf {
  readonly clients: Pick<LocalClients, 'cloudFormation'>;
  readonly deployment: Deployment;
  readonly pipeline: string;
  /** As it is in the names of stacks: `dev` for the local cloud. */
  readonly environment: string;
}

/** A generation that stands, or undefined. */
export async function findGeneration(
  of: GenerationsOf,
  name: string,
): Promise<DeployedGeneration | undefined> {
  if (name === FIRST_GENERATION) return firstGeneration(of.deployment);
  const stack = generationStackName(of.pipeline, of.environment, name);
  const outputs = await stackOutputs(of.clients, stack);
  return outputs && generationIn(stack, name, outputs);
}

/** The generations that stand beside the first, by number. */
export async function findGenerations(of: GenerationsOf): Promise<readonly DeployedGeneration[]> {
  const found: DeployedGeneration[] = [];
  // They are made one after the other, and older ones are deleted: some numbers may be missing.
  for (let number = 2, missing = 0; missing < 3 && number < NUMBERS_MAX; number += 1) {
    const generation = await findGeneration(of, String(number));
    if (generation === undefined) missing += 1;
    else found.push(generation);
  }
  return found;
}

function firstGeneration(deployment: Deployment): DeployedGeneration | undefined {
  const { replayerName, redriverName, consumerName, mappingId } = deployment;
  if (replayerName === undefined) return undefined;
  const { ledgerTable, aggregatesTable, quarantineTable } = deployment;
  return {
    name: FIRST_GENERATION,
    ledgerTable,
    aggregatesTable,
    quarantineTable,
    replayerName,
    redriverName,
    replay: null,
    consumer: { name: consumerName, mappingId },
  };
}

function generationIn(
  stack: string,
  name: string,
  outputs: ReadonlyMap<string, string>,
): DeployedGeneration {
  const output = (key: string) => {
    const value = outputs.get(key);
    if (value !== undefined) return value;
    throw new InvariantError(`${stack}: got no output ${key}, expected one`);
  };
  const mappingId = outputs.get('MappingId');
  return {
    name,
    ledgerTable: output('LedgerTable'),
    aggregatesTable: output('AggregatesTable'),
    quarantineTable: output('QuarantineTable'),
    replayerName: output('ReplayerName'),
    redriverName: outputs.get('RedriverName'),
    replay: JSON.parse(output('Replay')),
    consumer: mappingId === undefined ? undefined : { name: output('ConsumerName'), mappingId },
  };
}

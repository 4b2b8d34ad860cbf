import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { goesOn } from '../src/core/contract.ts';
import { DefinitionError } from '../src/core/errors.ts';
import type { GenerationConfig } from './config/generation.ts';
import { Closer } from './processing/closer.ts';
import { Consumer, type ConsumerProps } from './processing/consumer.ts';
import { Keeper } from './processing/keeper.ts';
import { Recoverer } from './processing/recoverer.ts';
import { Redriver } from './processing/redriver.ts';
import { Replayer, type ReplayerProps } from './processing/replayer.ts';
import { PipelineTables } from './storage/tables.ts';

/** What a generation's stack is made with. */
export interface GenerationStackProps
  extends StackProps,
    Omit<ConsumerProps, 'fed' | 'generation'> {
  readonly generation: GenerationConfig;
  /** It stands by: it is rebuilt by itself when this consumer, of the compute stack, gives up a batch. */
  readonly standsBy?: Consumer;
}

/**
 * A generation that is rebuilt from the archive: tables of its own, the function that fills them, and what goes
 * on with the stream afterwards. It stands beside the pipeline's data and compute stacks, uses the data stack's
 * stream, key and buckets, and is deleted as a whole.
 */
export class GenerationStack extends Stack {
  constructor(scope: Construct, id: string, props: GenerationStackProps) {
    const { folder, environment, data, generation, standsBy, ...rest } = props;
    super(scope, id, { terminationProtection: environment.protectData, ...rest });
    const { archive: store } = data;
    if (store === undefined) {
      throw new DefinitionError(
        `generation ${generation.number} of ${folder.name}`,
        'a pipeline without an archive',
        'retention.archive of the pipeline, and archive of the environment: a generation is rebuilt from it',
      );
    }
    const protect = environment.protectData;
    const tables = new PipelineTables(this, 'Tables', { key: data.dataKey, protect });
    const own = { name: String(generation.number), tables };
    const source = { folder, environment, data, fed: [], generation: own };
    const settings = generation.replay;
    const replayer = new Replayer(this, 'Replayer', { ...source, store, settings });
    this.#output({
      EventsTable: tables.events.tableName,
      AggregatesTable: tables.aggregates.tableName,
      LedgerTable: tables.ledger.tableName,
      QuarantineTable: tables.quarantine.tableName,
      ReplayerName: replayer.function.functionName,
      Replay: JSON.stringify(settings),
      ...(goesOn(settings) ? this.#goOn({ ...source, store }, standsBy) : {}),
    });
  }

  /** What a whole generation needs to go on with the stream. */
  #goOn(source: ReplayerProps, standsBy?: Consumer): Readonly<Record<string, string>> {
    const consumer = new Consumer(this, 'Consumer', source);
    if (standsBy !== undefined) {
      const mappings = { live: standsBy.mapping, own: consumer.mapping };
      new Recoverer(this, 'Recoverer', { ...source, ...mappings });
    }
    new Keeper(this, 'Keeper', source);
    const redriver = new Redriver(this, 'Redriver', source);
    const { closedWindows } = source.data;
    const closer =
      closedWindows === undefined
        ? undefined
        : new Closer(this, 'Closer', { ...source, closedWindows });
    return {
      ConsumerName: consumer.function.functionName,
      RedriverName: redriver.function.functionName,
      MappingId: consumer.mapping.eventSourceMappingId,
      ...(closer === undefined ? {} : { CloserName: closer.function.functionName }),
    };
  }

  #output(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values))
      new CfnOutput(this, `${name}Output`, { value }).overrideLogicalId(name);
  }
}

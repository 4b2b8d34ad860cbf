import type { FieldsOf, Fn } from './column-types.ts';

/** Options of an output: which rows become events of another pipeline, and what these are. */
export interface OutputOptions<T> {
  /** Only rows for which this says true; default every row. */
  readonly where?: Fn<T, boolean>;
  /** Key of the derived event: a field of the row, or a function of it. It chooses the partition. */
  readonly key: keyof FieldsOf<T, string | number> | ((row: T) => string | number);
  /** The derived event's data, as the schema of the pipeline that is fed reads it. It becomes JSON. */
  readonly event: (row: T) => object;
}

/** What outputs are made with; it knows the type of the rows. */
export interface OutputScope<T> {
  /**
   * Feeds another pipeline: the name of a folder of pipelines/, not this one. That pipeline has to read
   * CloudEvents, have a number of partitions, and keep its stream at least as long as this one.
   */
  to(pipeline: string, options: OutputOptions<T>): OutputDefinition;
}

/** An output, as data. */
export interface OutputDefinition {
  readonly to: string;
  readonly where?: (row: never) => unknown;
  readonly key: string | ((row: never) => unknown);
  readonly event: (row: never) => unknown;
}

/** The outputs of a pipeline by name. */
export type Outputs = Readonly<Record<string, OutputDefinition>>;

import { defineFeed } from '#millrace';

interface Row {
  date: Date;
  delay: number;
  distance: number;
  origin: string;
  destination: string;
}

/** Three million flights within the United States in 2001, in the order of their departure. */
export default defineFeed<Row>({
  file: '../../node_modules/vega-datasets/data/flights-3m.parquet',
  limit: 50_000,
  ordered: true,
  time: (row) => row.date,
  data: ({ delay, distance, origin, destination }, { timeMs }) => ({
    date: new Date(timeMs).toISOString(),
    delay,
    distance,
    origin,
    destination,
  }),
});

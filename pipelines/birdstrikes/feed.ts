import { defineFeed } from '#millrace';

interface Row {
  'Airport Name': string;
  'Effect Amount of damage': string;
  'Flight Date': string;
  'Origin State': string;
  'Phase of flight': string;
  'Wildlife Species': string;
  'Cost Total $': string;
  'Speed IAS in knots': string;
}

/** Ten thousand strikes of birds at airports of the United States, 1990 to 2002 (FAA). */
export default defineFeed<Row>({
  file: '../../node_modules/vega-datasets/data/birdstrikes.csv',
  time: (row) => new Date(row['Flight Date']),
  data: (row, { timeMs }) => ({
    day: timeMs,
    airport: row['Airport Name'],
    state: row['Origin State'],
    phase: row['Phase of flight'],
    species: row['Wildlife Species'],
    damage: row['Effect Amount of damage'],
    cost: Number(row['Cost Total $']),
    speed: row['Speed IAS in knots'] === '' ? null : Number(row['Speed IAS in knots']),
  }),
});

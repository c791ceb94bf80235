import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.processor.StateRestoreListener;

/**
 * Restores a topic into the RocksDB store of Kafka Streams, and prints how many records that were and how many seconds
 * it took from the first one on. Arguments: broker, topic, directory of the store, threads.
 */
public final class RestoreStore {
    public static void main(String[] arguments) throws Exception {
        String broker = arguments[0];
        String topic = arguments[1];
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "bench-" + UUID.randomUUID());
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[2]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, Integer.parseInt(arguments[3]));
        // The table is restored from the very topic, instead of from a copy of it.
        settings.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
        int partitions = consumeAll(broker, topic, settings.getProperty(StreamsConfig.APPLICATION_ID_CONFIG));

        StreamsBuilder builder = new StreamsBuilder();
        builder.table(topic, Consumed.with(Serdes.Bytes(), Serdes.ByteArray()), Materialized.as("entries"));
        Restoring restoring = new Restoring(partitions);
        try (KafkaStreams streams = new KafkaStreams(builder.build(settings), settings)) {
            streams.setGlobalStateRestoreListener(restoring);
            streams.start();
            restoring.done.await();
            double seconds = (restoring.last.get() - restoring.first.get()) / 1e9;
            System.out.println("{\"commands\":" + restoring.records.get() + ",\"seconds\":" + seconds + "}");
            System.out.flush();
            Runtime.getRuntime().halt(0);
        }
    }

    /** What a group has not consumed is not restored but processed. Returns how many partitions there are. */
    private static int consumeAll(String broker, String topic, String group) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker))) {
            int partitions =
                admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
            Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
            for (int partition = 0; partition < partitions; partition += 1) {
                asked.put(new TopicPartition(topic, partition), OffsetSpec.latest());
            }
            Map<TopicPartition, OffsetAndMetadata> ends = new HashMap<>();
            admin.listOffsets(asked).all().get()
                .forEach((partition, end) -> ends.put(partition, new OffsetAndMetadata(end.offset())));
            admin.alterConsumerGroupOffsets(group, ends).all().get();
            return partitions;
        }
    }

    private static final class Restoring implements StateRestoreListener {
        final CountDownLatch done;
        final AtomicLong records = new AtomicLong();
        final AtomicLong first = new AtomicLong(Long.MAX_VALUE);
        final AtomicLong last = new AtomicLong();

        Restoring(int partitions) {
            done = new CountDownLatch(partitions);
        }

        @Override
        public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
            first.accumulateAndGet(System.nanoTime(), Math::min);
        }

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long end, long count) {
            records.addAndGet(count);
        }

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long total) {
            last.accumulateAndGet(System.nanoTime(), Math::max);
            done.countDown();
        }
    }
}

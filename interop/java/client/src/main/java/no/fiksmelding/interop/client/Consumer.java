package no.fiksmelding.interop.client;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import no.ks.fiks.io.client.FiksIOKlient;
import no.ks.fiks.io.client.SvarSender;
import no.ks.fiks.io.client.model.MottattMelding;

/**
 * A case system as KS's examples build one: writes what each report holds to a folder, answers {@code mottatt}, and then
 * acknowledges. The fastest that is still right with KS's client; a benchmark stands beside it.
 *
 * <pre>
 * java -cp 'target/classes:target/lib/*' -Djavax.net.ssl.trustStore=… no.fiksmelding.interop.client.Consumer \
 *     SETTINGS FOLDER COUNT EVERY
 * </pre>
 *
 * <p>SETTINGS is a file as {@link Settings} describes. Each report becomes {@code FOLDER/<melding-id>.zip}, decrypted and
 * verified. Prints {@code ready} when it consumes, then {@code <reports> <seconds since the first>} after each EVERY reports
 * and after the last, and ends after COUNT reports, or with status 1 when one fails or the broker closes.
 */
public final class Consumer {
    private static final String MOTTATT = "no.ks.fiks.bekymringsmelding.mottatt.v1";

    private final Path folder;
    private final long count;
    private final long every;
    private final AtomicLong received = new AtomicLong();
    private final AtomicLong firstNanos = new AtomicLong();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final CountDownLatch done = new CountDownLatch(1);

    private Consumer(Path folder, long count, long every) {
        this.folder = folder;
        this.count = count;
        this.every = every;
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 4) {
            System.err.println("usage: Consumer SETTINGS FOLDER COUNT EVERY");
            System.exit(2);
        }
        Path folder = Files.createDirectories(Path.of(arguments[1]));
        Consumer consumer = new Consumer(folder, Long.parseLong(arguments[2]), Long.parseLong(arguments[3]));
        try (FiksIOKlient klient = new Settings(Path.of(arguments[0])).connect()) {
            klient.newSubscription(consumer::receive, closed -> consumer.end(closed));
            System.out.println("ready");
            consumer.done.await();
        }
        Throwable failure = consumer.failure.get();
        if (failure != null) {
            failure.printStackTrace();
        }
        // KS's client leaves threads behind that would keep the JVM alive.
        System.exit(failure == null ? 0 : 1);
    }

    private void receive(MottattMelding melding, SvarSender svar) {
        try {
            firstNanos.compareAndSet(0, System.nanoTime());
            melding.writeDekryptertZip(folder.resolve(melding.getMeldingId().getUuid() + ".zip"));
            svar.svar(MOTTATT);
            svar.ack();
        } catch (RuntimeException error) {
            svar.nackWithRequeue();
            end(error);
            return;
        }
        long number = received.incrementAndGet();
        if (number % every == 0 || number == count) {
            System.out.printf("%d %.3f%n", number, (System.nanoTime() - firstNanos.get()) / 1e9);
        }
        if (number == count) {
            end(null);
        }
    }

    private void end(Throwable why) {
        if (done.getCount() > 0) {
            failure.compareAndSet(null, why);
            done.countDown();
        }
    }
}

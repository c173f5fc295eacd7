package no.fiksmelding.interop.client;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import no.ks.fiks.io.client.FiksIOKlient;
import no.ks.fiks.io.client.SvarSender;
import no.ks.fiks.io.client.model.FilePayload;
import no.ks.fiks.io.client.model.Konto;
import no.ks.fiks.io.client.model.KontoId;
import no.ks.fiks.io.client.model.MeldingId;
import no.ks.fiks.io.client.model.MeldingRequest;
import no.ks.fiks.io.client.model.MottattMelding;
import no.ks.fiks.io.client.model.Payload;

/**
 * KS's Java client, told what to do.
 *
 * <p>Reads commands from standard input, one a line, words separated by tabs; answers each with a line: {@code ok} and
 * JSON, or {@code error} and why.
 *
 * <pre>
 * connect  SETTINGS                          as an account (see {@link Settings}), subscribed to its queue
 * konto    ACCOUNT                           what the catalog knows of an account
 * send     ACCOUNT TYPE TTL_MS [FILE...]     sealed for what the catalog says; its id
 * next     SECONDS [ZIP]                     the next delivery; what it holds, decrypted and verified, goes to ZIP
 * answer   TYPE [NAME TEXT]                  an answer to the delivery taken last, with a file or without
 * ack                                        acknowledges it
 * requeue                                    gives it back
 * submit   SETTINGS KIND KOMMUNE BYDEL JSON PDF [TIMES]   a report through the bekymringsmelding API; the last id
 * status   SETTINGS REPORT                   how it stands
 * close                                      ends the connection
 * </pre>
 */
public final class Client {
    private record Delivery(MottattMelding melding, SvarSender svar) {}

    private static final ObjectMapper JSON = new ObjectMapper();

    private final BlockingQueue<Delivery> arrived = new LinkedBlockingQueue<>();
    private FiksIOKlient klient;
    private Delivery taken;

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Client client = new Client();
        try (BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line; (line = commands.readLine()) != null; ) {
                answers.println(client.answerTo(List.of(line.split("\t"))));
            }
        }
        client.close();
        // Once it has opened or sealed, KS's client leaves threads behind that would keep the JVM alive.
        System.exit(0);
    }

    private String answerTo(List<String> words) {
        try {
            return "ok " + JSON.writeValueAsString(run(words));
        } catch (Exception error) {
            Throwable cause = error.getCause() == null ? error : error.getCause();
            return "error " + (error + " caused by " + cause).replaceAll("\\s+", " ");
        }
    }

    private Object run(List<String> words) throws Exception {
        return switch (words.get(0)) {
            case "connect" -> connect(new Settings(Path.of(words.get(1))));
            case "konto" -> konto(words.get(1));
            case "send" -> send(words.get(1), words.get(2), Long.parseLong(words.get(3)), words.subList(4, words.size()));
            case "next" -> next(Long.parseLong(words.get(1)), words.subList(2, words.size()));
            case "answer" -> answer(words.subList(1, words.size()));
            case "ack" -> settle(() -> taken.svar().ack());
            case "requeue" -> settle(() -> taken.svar().nackWithRequeue());
            case "submit" -> submit(words);
            case "status" -> status(words);
            case "close" -> close();
            default -> throw new IllegalArgumentException("unknown command");
        };
    }

    private String connect(Settings settings) throws Exception {
        klient = settings.connect();
        klient.newSubscription((melding, svar) -> arrived.add(new Delivery(melding, svar)));
        return klient.getKontoId().getUuid().toString();
    }

    private Map<String, Object> konto(String account) {
        Konto konto = klient.getKonto(new KontoId(UUID.fromString(account))).orElseThrow();
        return Map.of(
                "kontoId", konto.getKontoId().getUuid().toString(),
                "kontoNavn", konto.getKontoNavn(),
                "orgNummer", konto.getOrgNummer(),
                "fiksOrgId", konto.getFiksOrgId().getFiksOrgId().toString(),
                "gyldigMottaker", konto.isGyldigMottaker(),
                "antallKonsumenter", konto.getAntallKonsumenter());
    }

    private String send(String account, String type, long ttl, List<String> files) {
        MeldingRequest request = MeldingRequest.builder()
                .mottakerKontoId(new KontoId(UUID.fromString(account))).meldingType(type).ttl(Duration.ofMillis(ttl))
                .klientMeldingId(new MeldingId(UUID.randomUUID())).build();
        List<Payload> payloads = new ArrayList<>();
        files.forEach(file -> payloads.add(new FilePayload(Path.of(file))));
        MeldingId id = (payloads.isEmpty() ? klient.sendWithoutPayload(request) : klient.send(request, payloads)).getMeldingId();
        return id.getUuid().toString();
    }

    private Map<String, Object> next(long seconds, List<String> zip) throws InterruptedException {
        taken = arrived.poll(seconds, TimeUnit.SECONDS);
        if (taken == null) {
            throw new IllegalStateException("nothing came");
        }
        MottattMelding melding = taken.melding();
        if (!zip.isEmpty()) {
            melding.writeDekryptertZip(Path.of(zip.get(0)));
        }
        Map<String, Object> told = new HashMap<>();
        told.put("meldingId", melding.getMeldingId().getUuid().toString());
        told.put("meldingType", melding.getMeldingType());
        told.put("avsender", melding.getAvsenderKontoId().getUuid().toString());
        told.put("mottaker", melding.getMottakerKontoId().getUuid().toString());
        told.put("svarPa", melding.getSvarPaMelding() == null ? null : melding.getSvarPaMelding().getUuid().toString());
        told.put("resendt", melding.isResendt());
        told.put("harPayload", melding.isHarPayload());
        told.put("ttl", melding.getTtl() == null ? null : melding.getTtl().toMillis());
        told.put("headere", melding.getHeadere());
        return told;
    }

    private String answer(List<String> words) {
        String type = words.get(0);
        var sent = words.size() > 1 ? taken.svar().svar(type, words.get(2), words.get(1)) : taken.svar().svar(type);
        return sent.getMeldingId().getUuid().toString();
    }

    private String settle(Runnable how) {
        how.run();
        return "";
    }

    private String submit(List<String> words) throws Exception {
        try (Submission submission = new Submission(new Settings(Path.of(words.get(1))))) {
            String reportId = null;
            for (int times = words.size() > 7 ? Integer.parseInt(words.get(7)) : 1; times > 0; times--) {
                reportId = submission.submit(words.get(2), words.get(3), words.get(4), Path.of(words.get(5)), Path.of(words.get(6)));
            }
            return reportId;
        }
    }

    private Object status(List<String> words) throws Exception {
        try (Submission submission = new Submission(new Settings(Path.of(words.get(1))))) {
            return JSON.readTree(submission.status(words.get(2)));
        }
    }

    private String close() throws IOException {
        if (klient != null) {
            klient.close();
            klient = null;
        }
        arrived.clear();
        return "";
    }
}

package no.fiksmelding.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.ZipInputStream;
import no.difi.asic.AsicWriter;
import no.difi.asic.AsicWriterFactory;
import no.difi.asic.SignatureHelper;
import no.difi.asic.SignatureMethod;
import no.ks.fiks.io.asice.AsicHandler;
import no.ks.fiks.io.asice.model.Content;
import no.ks.fiks.io.asice.model.KeystoreHolder;
import no.ks.fiks.io.asice.model.StreamContent;
import no.ks.kryptering.CMSKrypteringImpl;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * Seals and opens with KS's Java libraries.
 *
 * <p>Reads commands from standard input, one a line, words separated by tabs; answers each with a line: {@code ok} and
 * the milliseconds it took, or {@code error} and why. Keys are PKCS#8 DER, certificates DER, key stores PKCS#12.
 *
 * <pre>
 * seal      KEYSTORE PASSWORD ALIAS RECIPIENT OUT FILE...   an envelope around the files
 * open      KEYSTORE PASSWORD ALIAS KEY ENVELOPE OUT        its files as a plain zip, after all checks
 * read      KEYSTORE PASSWORD ALIAS KEY ENVELOPE            its files, streamed and counted
 * encrypt   RECIPIENT IN OUT                                CMS alone
 * decrypt   KEY IN OUT                                      CMS alone
 * xades     KEYSTORE PASSWORD ALIAS OUT FILE...             a bare container, signed with XAdES
 * </pre>
 */
public final class Peer implements AutoCloseable {
    private final ExecutorService threads = Executors.newFixedThreadPool(4);
    private final Map<List<String>, AsicHandler> handlers = new HashMap<>();
    private final CMSKrypteringImpl cms = new CMSKrypteringImpl();

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (Peer peer = new Peer();
                BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                answers.println(peer.answer(line.split("\t")));
            }
        }
        // The library's pipes leave threads waiting after a failure; they must not keep the process alive.
        System.exit(0);
    }

    private String answer(String[] words) {
        long start = System.nanoTime();
        try {
            run(words);
        } catch (Exception | LinkageError error) {
            return "error " + error.toString().replaceAll("\\s+", " ");
        }
        return "ok " + (System.nanoTime() - start) / 1e6;
    }

    private void run(String[] words) throws Exception {
        switch (words[0]) {
            case "seal" -> seal(words);
            case "open" -> open(words);
            case "read" -> read(words);
            case "encrypt" -> {
                try (InputStream in = Files.newInputStream(Path.of(words[2]));
                        OutputStream out = Files.newOutputStream(Path.of(words[3]))) {
                    cms.krypterData(out, in, certificate(words[1]));
                }
            }
            case "decrypt" -> {
                try (InputStream in = Files.newInputStream(Path.of(words[2]));
                        OutputStream out = Files.newOutputStream(Path.of(words[3]))) {
                    cms.dekrypterData(in, key(words[1])).transferTo(out);
                }
            }
            case "xades" -> xades(words);
            default -> throw new IllegalArgumentException("no such command: " + words[0]);
        }
    }

    private void seal(String[] words) throws Exception {
        List<Content> files = new ArrayList<>();
        for (int at = 6; at < words.length; at++) {
            Path file = Path.of(words[at]);
            files.add(new StreamContent(Files.newInputStream(file), file.getFileName().toString()));
        }
        AsicHandler handler = handler(words, null);
        try (InputStream sealed = handler.encrypt(certificate(words[4]), files);
                OutputStream out = Files.newOutputStream(Path.of(words[5]))) {
            sealed.transferTo(out);
        }
    }

    private void open(String[] words) throws Exception {
        try (InputStream envelope = Files.newInputStream(Path.of(words[5]))) {
            handler(words, words[4]).writeDecrypted(envelope, Path.of(words[6]));
        }
    }

    private void read(String[] words) throws Exception {
        long total = 0;
        byte[] buffer = new byte[256 * 1024];
        try (InputStream envelope = Files.newInputStream(Path.of(words[5]));
                ZipInputStream files = handler(words, words[4]).decrypt(envelope)) {
            while (files.getNextEntry() != null) {
                for (int size = files.read(buffer); size >= 0; size = files.read(buffer)) {
                    total += size;
                }
            }
        }
        if (total == 0) {
            throw new IOException("nothing came out");
        }
    }

    private void xades(String[] words) throws Exception {
        AsicWriter container = AsicWriterFactory.newFactory(SignatureMethod.XAdES).newContainer(Path.of(words[4]));
        for (int at = 5; at < words.length; at++) {
            container.add(Path.of(words[at]));
        }
        container.sign(new SignatureHelper(keyStore(words), words[3], words[2]));
    }

    /** Made once for each set of keys, as an application would, so that a timing measures the envelope alone. */
    private AsicHandler handler(String[] words, String keyPath) throws Exception {
        List<String> wanted = Arrays.asList(words[1], words[2], words[3], keyPath);
        AsicHandler handler = handlers.get(wanted);
        if (handler == null) {
            handler = newHandler(words, keyPath);
            handlers.put(wanted, handler);
        }
        return handler;
    }

    private AsicHandler newHandler(String[] words, String keyPath) throws Exception {
        KeystoreHolder holder = KeystoreHolder.builder()
                .withKeyStore(keyStore(words))
                .withKeyStorePassword(words[2])
                .withKeyAlias(words[3])
                .withKeyPassword(words[2])
                .build();
        return AsicHandler.builder()
                .withPrivatNokkel(keyPath == null ? null : key(keyPath))
                .withExecutorService(threads)
                .withKeyStoreHolder(holder)
                .build();
    }

    private static KeyStore keyStore(String[] words) throws Exception {
        KeyStore keyStore = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(Path.of(words[1]))) {
            keyStore.load(in, words[2].toCharArray());
        }
        return keyStore;
    }

    private static X509Certificate certificate(String path) throws Exception {
        try (InputStream in = Files.newInputStream(Path.of(path))) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        }
    }

    private static PrivateKey key(String path) throws Exception {
        return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(path))));
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}

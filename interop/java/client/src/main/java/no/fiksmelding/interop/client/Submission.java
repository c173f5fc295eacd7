package no.fiksmelding.interop.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import no.ks.fiks.io.asice.AsicHandler;
import no.ks.fiks.io.asice.model.KeystoreHolder;
import no.ks.fiks.io.asice.model.StreamContent;
import no.ks.fiks.maskinporten.AccessTokenRequest;
import no.ks.fiks.maskinporten.Maskinportenklient;
import no.ks.fiks.maskinporten.MaskinportenklientProperties;
import no.ks.kryptering.CMSKrypteringImpl;

/**
 * Submits a report through the bekymringsmelding API with the libraries that KS's own client for it is made of: tokens,
 * container and encryption. That client itself (fiks-bekymringsmelding-produsent-klient) is not on Maven Central.
 */
final class Submission implements AutoCloseable {
    private static final String BOUNDARY = "fiksmelding-interop-part";

    private final Settings settings;
    private final String base;
    private final Maskinportenklient maskinporten;
    private final HttpClient http = HttpClient.newHttpClient();
    private final ObjectMapper json = new ObjectMapper();
    private final ExecutorService threads = Executors.newFixedThreadPool(2);

    Submission(Settings settings) throws GeneralSecurityException {
        this.settings = settings;
        base = settings.get("api.url") + "/bekymringsmelding/api/v2/";
        maskinporten = new Maskinportenklient(
                settings.keyStore(), settings.get("keystore.alias"), settings.get("keystore.password").toCharArray(),
                MaskinportenklientProperties.builder()
                        .numberOfSecondsLeftBeforeExpire(10).issuer(settings.get("client.id"))
                        .audience(settings.get("issuer")).tokenEndpoint(settings.get("issuer") + "token").build());
    }

    /** Seal a report twice, as the API wants it, and submit it; returns its id. */
    String submit(String kind, String kommunenummer, String bydelsnummer, Path report, Path pdf) throws Exception {
        JsonNode keys = json.readTree(get("mottak/fagsystem/" + kommunenummer + "/" + bydelsnummer + "/krypteringsnokler"));
        ByteArrayOutputStream print = new ByteArrayOutputStream();
        try (InputStream in = Files.newInputStream(pdf)) {
            new CMSKrypteringImpl().krypterData(print, in, certificate(keys, "printOffentligNokkel"));
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        part(body, "bekymringsmelding", "bekymringsmelding.pdf", new ByteArrayInputStream(print.toByteArray()));
        try (AsicHandler handler = handler();
                InputStream sealed = handler.encrypt(certificate(keys, "fiksIOOffentligNokkel"), List.of(
                        new StreamContent(Files.newInputStream(report), "bekymringsmelding.json"),
                        new StreamContent(Files.newInputStream(pdf), "bekymringsmelding.pdf")))) {
            part(body, "asice", "asice.zip", sealed);
        }
        body.write(("--" + BOUNDARY + "--\r\n").getBytes(StandardCharsets.US_ASCII));
        String path = "mottak/fagsystem/" + settings.get("organisation.id") + "/" + kommunenummer + "/" + bydelsnummer + "/" + kind;
        HttpRequest request = to(path)
                .header("Content-Type", "multipart/form-data; boundary=" + BOUNDARY)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body.toByteArray())).build();
        return json.readTree(answer(request)).get("uuid").asText();
    }

    /** How a report stands, as the API's JSON. */
    String status(String reportId) throws Exception {
        return get("mottak/fagsystem/" + settings.get("organisation.id") + "/bekymringsmelding/" + reportId + "/status");
    }

    @Override
    public void close() {
        threads.shutdown();
    }

    private AsicHandler handler() throws GeneralSecurityException {
        return AsicHandler.builder().withExecutorService(threads).withPrivatNokkel(settings.privateKey())
                .withKeyStoreHolder(KeystoreHolder.builder()
                        .withKeyStore(settings.keyStore()).withKeyStorePassword(settings.get("keystore.password"))
                        .withKeyAlias(settings.get("keystore.alias")).withKeyPassword(settings.get("keystore.password")).build())
                .build();
    }

    private String get(String path) throws Exception {
        return answer(to(path).GET().build());
    }

    private String answer(HttpRequest request) throws Exception {
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            throw new IOException("the platform answered " + response.statusCode());
        }
        return response.body();
    }

    private HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create(base + path))
                .header("Authorization", "Bearer " + maskinporten.getAccessToken(AccessTokenRequest.builder().scope("ks:fiks").build()))
                .header("IntegrasjonId", settings.get("integration.id"))
                .header("IntegrasjonPassord", settings.get("integration.password"));
    }

    private static void part(ByteArrayOutputStream body, String name, String fileName, InputStream content) throws IOException {
        String head = "--" + BOUNDARY + "\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" + fileName
                + "\"\r\nContent-Type: application/octet-stream\r\n\r\n";
        body.write(head.getBytes(StandardCharsets.US_ASCII));
        content.transferTo(body);
        body.write("\r\n".getBytes(StandardCharsets.US_ASCII));
    }

    private static X509Certificate certificate(JsonNode keys, String which) throws GeneralSecurityException {
        byte[] pem = keys.get(which).get("nokkel").asText().getBytes(StandardCharsets.US_ASCII);
        return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem));
    }
}

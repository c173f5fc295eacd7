package no.fiksmelding.interop.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.util.Properties;
import java.util.UUID;
import no.ks.fiks.io.client.FiksIOKlient;
import no.ks.fiks.io.client.FiksIOKlientFactory;
import no.ks.fiks.io.client.konfigurasjon.AmqpKonfigurasjon;
import no.ks.fiks.io.client.konfigurasjon.FiksApiKonfigurasjon;
import no.ks.fiks.io.client.konfigurasjon.FiksIOKonfigurasjon;
import no.ks.fiks.io.client.konfigurasjon.FiksIntegrasjonKonfigurasjon;
import no.ks.fiks.io.client.konfigurasjon.IdPortenKonfigurasjon;
import no.ks.fiks.io.client.konfigurasjon.KontoKonfigurasjon;
import no.ks.fiks.io.client.konfigurasjon.VirksomhetssertifikatKonfigurasjon;
import no.ks.fiks.io.client.model.KontoId;

/**
 * Who acts, and where the platform is: a properties file, with these keys.
 *
 * <pre>
 * api.url  issuer  amqp.host  amqp.port                       the platform
 * account.id  integration.id  integration.password  client.id  organisation.id
 * keystore  keystore.password  keystore.alias                  PKCS#12 with the business certificate and its key
 * </pre>
 *
 * <p>Whom TLS believes is the JVM's own matter: {@code -Djavax.net.ssl.trustStore}.
 */
final class Settings {
    private final Properties values = new Properties();
    private final KeyStore keyStore;

    Settings(Path file) throws IOException, GeneralSecurityException {
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            values.load(reader);
        }
        keyStore = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(Path.of(get("keystore")))) {
            keyStore.load(in, get("keystore.password").toCharArray());
        }
    }

    String get(String name) {
        String value = values.getProperty(name);
        if (value == null) {
            throw new IllegalArgumentException("missing in the settings: " + name);
        }
        return value;
    }

    KeyStore keyStore() {
        return keyStore;
    }

    PrivateKey privateKey() throws GeneralSecurityException {
        return (PrivateKey) keyStore.getKey(get("keystore.alias"), get("keystore.password").toCharArray());
    }

    /** KS's client, connected to the broker. */
    FiksIOKlient connect() throws GeneralSecurityException {
        URI api = URI.create(get("api.url"));
        return new FiksIOKlientFactory(FiksIOKonfigurasjon.builder()
                .fiksApiKonfigurasjon(FiksApiKonfigurasjon.builder()
                        .scheme(api.getScheme()).host(api.getHost()).port(api.getPort()).build())
                .amqpKonfigurasjon(AmqpKonfigurasjon.builder()
                        .host(get("amqp.host")).port(Integer.valueOf(get("amqp.port"))).build())
                .kontoKonfigurasjon(KontoKonfigurasjon.builder()
                        .kontoId(new KontoId(UUID.fromString(get("account.id")))).privatNokkel(privateKey()).build())
                .fiksIntegrasjonKonfigurasjon(FiksIntegrasjonKonfigurasjon.builder()
                        .integrasjonId(UUID.fromString(get("integration.id")))
                        .integrasjonPassord(get("integration.password"))
                        .idPortenKonfigurasjon(IdPortenKonfigurasjon.builder()
                                .accessTokenUri(get("issuer") + "token").idPortenAudience(get("issuer"))
                                .klientId(get("client.id")).build())
                        .build())
                .virksomhetssertifikatKonfigurasjon(VirksomhetssertifikatKonfigurasjon.builder()
                        .keyStore(keyStore).keyStorePassword(get("keystore.password"))
                        .keyAlias(get("keystore.alias")).keyPassword(get("keystore.password")).build())
                .build()).build();
    }
}

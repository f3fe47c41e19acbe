/* Speaks with the JDK's own HttpClient, as Java programs without another client do, and prints a line for each response.

    java SpeakJdk.java BASE_URL FOLDER

By default it offers an upgrade to h2c with every request to a server without TLS. A line is: name, status, version of
HTTP, content type, request id, file; separated by tabs. */

import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

public class SpeakJdk {
    static final String[] FORMATS = {"mp3", "opus", "aac", "flac", "wav", "pcm"};
    static final String SAID = "\"input\": \"The birch canoe slid on the smooth planks.\", \"voice\": \"alloy\"";

    static String base;
    static Path folder;

    static HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create(base + path)).header("Content-Type", "application/json");
    }

    static HttpRequest speech(BodyPublisher body) {
        return to("/audio/speech").POST(body).build();
    }

    static BodyPublisher body(String model, String more) {
        return BodyPublishers.ofString("{\"model\": \"" + model + "\", " + SAID + more + "}");
    }

    static void tell(String name, HttpResponse<byte[]> answer) throws Exception {
        Files.write(folder.resolve(name), answer.body());
        System.out.println(String.join("\t", name, String.valueOf(answer.statusCode()), answer.version().toString(),
            answer.headers().firstValue("content-type").orElse(""), answer.headers().firstValue("x-request-id").orElse(""), name));
    }

    static void tell(String name, HttpClient client, HttpRequest request) throws Exception {
        tell(name, client.send(request, BodyHandlers.ofByteArray()));
    }

    public static void main(String[] args) throws Exception {
        base = args[0];
        folder = Path.of(args[1]);
        HttpClient client = HttpClient.newHttpClient();
        for (String format : FORMATS)
            tell("speech." + format, client, speech(body("tts-1", ", \"response_format\": \"" + format + "\"")));
        byte[] bytes = ("{\"model\": \"tts-1\", " + SAID + "}").getBytes(StandardCharsets.UTF_8);
        tell("chunked", client, speech(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes))));
        tell("old", HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build(), speech(body("tts-1", "")));
        tell("fault", client, speech(body("tts-1", ", \"speed\": 5")));
        tell("models", client, to("/models").GET().build());
        tell("head", client, to("/models").method("HEAD", BodyPublishers.noBody()).build());

        HttpResponse<java.util.stream.Stream<String>> events =
            client.send(speech(body("gpt-4o-mini-tts", ", \"stream_format\": \"sse\"")), BodyHandlers.ofLines());
        Files.write(folder.resolve("events"), events.body().collect(Collectors.toList()));
        System.out.println("events\t" + events.statusCode() + "\t" + events.version() + "\t"
            + events.headers().firstValue("content-type").orElse("") + "\t\tevents");

        List<CompletableFuture<HttpResponse<byte[]>>> many = new ArrayList<>();
        for (int number = 0; number < 8; number++)
            many.add(client.sendAsync(speech(body("tts-1", "")), BodyHandlers.ofByteArray()));
        for (int number = 0; number < 8; number++) tell("many_" + number, many.get(number).join());
    }
}

// SPDX-License-Identifier: Apache-2.0
package fieldway.leshan;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the handlers of HTTP have in common. */
final class Answer {
	private Answer() {
	}

	static void json(HttpExchange exchange, Object value) throws IOException {
		send(exchange, 200, "application/json", value.toString());
	}

	static void text(HttpExchange exchange, int status, String text) throws IOException {
		send(exchange, status, "text/plain", text);
	}

	private static void send(HttpExchange exchange, int status, String type, String text)
			throws IOException {
		byte[] bytes = text.getBytes(StandardCharsets.UTF_8);

		exchange.getResponseHeaders().set("Content-Type", type + ";charset=utf-8");
		exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
		exchange.getResponseBody().write(bytes);
		exchange.close();
	}

	/** A parameter without value is empty. */
	static Map<String, String> query(HttpExchange exchange) {
		Map<String, String> parameters = new LinkedHashMap<>();
		String query = exchange.getRequestURI().getRawQuery();

		if (query == null)
			return parameters;
		for (String part : query.split("&")) {
			String[] pair = part.split("=", 2);

			parameters.put(decoded(pair[0]), pair.length == 1 ? "" : decoded(pair[1]));
		}
		return parameters;
	}

	private static String decoded(String text) {
		return URLDecoder.decode(text, StandardCharsets.UTF_8);
	}
}

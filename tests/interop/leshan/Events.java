// SPDX-License-Identifier: Apache-2.0
package fieldway.leshan;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.eclipse.leshan.core.node.TimestampedLwM2mNodes;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.SendRequest;
import org.eclipse.leshan.core.response.ObserveCompositeResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.server.send.SendListener;

/** /api/event: what happens, as server-sent events, until the reader leaves. */
final class Events implements HttpHandler, RegistrationListener, ObservationListener, SendListener {
	private final Set<BlockingQueue<String>> readers = ConcurrentHashMap.newKeySet();

	Events(LeshanServer server) {
		server.getRegistrationService().addListener(this);
		server.getObservationService().addListener(this);
		server.getSendService().addListener(this);
	}

	@Override
	public void handle(HttpExchange exchange) throws IOException {
		BlockingQueue<String> queue = new LinkedBlockingQueue<>();

		exchange.getResponseHeaders().set("Content-Type", "text/event-stream;charset=utf-8");
		exchange.sendResponseHeaders(200, 0);
		readers.add(queue);
		try (OutputStream out = exchange.getResponseBody()) {
			// Whoever reads knows by the first one that none is missed from here on.
			for (String text = ":\n\n"; ; text = queue.poll(10, TimeUnit.SECONDS)) {
				out.write((text == null ? ":\n\n" : text).getBytes(StandardCharsets.UTF_8));
				out.flush();
			}
		} catch (InterruptedException e) {
			Thread.currentThread().interrupt();
		} finally {
			readers.remove(queue);
		}
	}

	private void tell(String event, ObjectNode data) {
		for (BlockingQueue<String> queue : readers)
			queue.add("event: " + event + "\ndata: " + data + "\n\n");
	}

	@Override
	public void registered(Registration registration, Registration previous,
			Collection<Observation> observations) {
		tell("REGISTRATION", Json.of(registration));
	}

	@Override
	public void updated(RegistrationUpdate update, Registration registration, Registration previous) {
		ObjectNode json = JsonNodeFactory.instance.objectNode();
		ObjectNode changes = json.putObject("update");

		json.set("registration", Json.of(registration));
		if (update.getLifeTimeInSec() != null)
			changes.put("lifetime", update.getLifeTimeInSec());
		if (update.getObjectLinks() != null)
			changes.set("objectLinks", Json.of(update.getObjectLinks()));
		tell("UPDATED", json);
	}

	@Override
	public void unregistered(Registration registration, Collection<Observation> observations,
			boolean expired, Registration next) {
		tell("DEREGISTRATION", Json.of(registration));
	}

	@Override
	public void onResponse(SingleObservation observation, Registration registration,
			ObserveResponse response) {
		ObjectNode json = JsonNodeFactory.instance.objectNode();

		json.put("ep", registration.getEndpoint());
		json.put("kind", "single");
		json.put("res", observation.getPath().toString());
		if (response.getContent() != null)
			json.set("val", Json.of(response.getContent()));
		json.set("coap", Json.message(response));
		tell("NOTIFICATION", json);
	}

	@Override
	public void onResponse(CompositeObservation observation, Registration registration,
			ObserveCompositeResponse response) {
		ObjectNode json = JsonNodeFactory.instance.objectNode();

		json.put("ep", registration.getEndpoint());
		json.put("kind", "composite");
		if (response.getContent() != null)
			json.set("val", Json.of(response.getContent()));
		json.set("coap", Json.message(response));
		tell("NOTIFICATION", json);
	}

	/** The demo only logs it. */
	@Override
	public void onError(Observation observation, Registration registration, Exception error) {
		System.err.println("notification of " + registration.getEndpoint() + ": " + error);
	}

	@Override
	public void dataReceived(Registration registration, TimestampedLwM2mNodes data, SendRequest request) {
		ObjectNode json = JsonNodeFactory.instance.objectNode();

		json.put("ep", registration.getEndpoint());
		json.put("format", request.getFormat().getCode());
		json.set("val", Json.of(data.getMostRecentNodes()));
		tell("SEND", json);
	}

	@Override
	public void onError(Registration registration, String message, Exception error) {
		System.err.println("Send of " + registration.getEndpoint() + ": " + message);
	}

	@Override
	public void newObservation(Observation observation, Registration registration) {
	}

	@Override
	public void cancelled(Observation observation) {
	}
}

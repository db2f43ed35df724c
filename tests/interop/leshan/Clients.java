// SPDX-License-Identifier: Apache-2.0
package fieldway.leshan;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.leshan.core.link.attributes.InvalidAttributeException;
import org.eclipse.leshan.core.link.lwm2m.attributes.DefaultLwM2mAttributeParser;
import org.eclipse.leshan.core.link.lwm2m.attributes.LwM2mAttributeSet;
import org.eclipse.leshan.core.node.LwM2mChildNode;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.node.codec.CodecException;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.CancelCompositeObservationRequest;
import org.eclipse.leshan.core.request.CancelObservationRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.CreateRequest;
import org.eclipse.leshan.core.request.DeleteRequest;
import org.eclipse.leshan.core.request.DiscoverRequest;
import org.eclipse.leshan.core.request.DownlinkDeviceManagementRequest;
import org.eclipse.leshan.core.request.ExecuteRequest;
import org.eclipse.leshan.core.request.ObserveCompositeRequest;
import org.eclipse.leshan.core.request.ObserveRequest;
import org.eclipse.leshan.core.request.ReadCompositeRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.request.WriteAttributesRequest;
import org.eclipse.leshan.core.request.WriteCompositeRequest;
import org.eclipse.leshan.core.request.WriteRequest;
import org.eclipse.leshan.core.request.exception.InvalidRequestException;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.observation.ObservationService;
import org.eclipse.leshan.server.registration.Registration;

/**
 * /api/clients[/EP[/PATH[/discover|/attributes|/observe]]] and /api/clients/EP/composite[/observe]: requests to an endpoint and what it
 * answered, by Leshan's requests and responses. A request that Leshan refuses to send is 400, one
 * whose answer does not come in time 504, an answer that Leshan cannot read 500.
 */
final class Clients implements HttpHandler {
	private static final String ROOT = "/api/clients";
	private static final long TIMEOUT_S = 5;

	private final LeshanServer server;
	private final ObjectMapper mapper = new ObjectMapper();

	Clients(LeshanServer server) {
		this.server = server;
	}

	/** One HTTP request, taken apart. */
	private static final class Call {
		HttpExchange exchange;
		Map<String, String> query;
		Registration client;
		String path;	// "/3/0/16"
		String word;	// discover, attributes, observe or ""
		boolean composite;	// of the paths in the query

		ContentFormat format() {
			return format("format");
		}

		ContentFormat format(String parameter) {
			String name = query.get(parameter);

			return name == null ? null : ContentFormat.fromName(name.toUpperCase());
		}

		List<String> paths() {
			return Arrays.asList(query.getOrDefault("paths", "").split(","));
		}

		String body() throws IOException {
			return new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
		}
	}

	@Override
	public void handle(HttpExchange exchange) throws IOException {
		String path = exchange.getRequestURI().getPath().substring(ROOT.length());

		try {
			if (path.length() <= 1)
				all(exchange);
			else
				one(exchange, path.substring(1));
		} catch (InvalidRequestException | CodecException | InvalidAttributeException
				| IllegalArgumentException e) {
			Answer.text(exchange, 400, "Invalid request: " + e.getMessage());
		} catch (InterruptedException e) {
			Thread.currentThread().interrupt();
			Answer.text(exchange, 500, "interrupted");
		} catch (RuntimeException e) {
			Answer.text(exchange, 500, e.getClass().getSimpleName() + ": " + e.getMessage());
		}
	}

	private void all(HttpExchange exchange) throws IOException {
		ArrayNode array = mapper.createArrayNode();

		server.getRegistrationService().getAllRegistrations().forEachRemaining(
				registration -> array.add(Json.of(registration)));
		Answer.json(exchange, array);
	}

	private void one(HttpExchange exchange, String place)
			throws IOException, InterruptedException, InvalidAttributeException {
		String[] parts = place.split("/", 2);
		Call call = new Call();

		call.exchange = exchange;
		call.query = Answer.query(exchange);
		call.client = server.getRegistrationService().getByEndpoint(parts[0]);
		if (call.client == null) {
			Answer.text(exchange, 400, "No registered client with id '" + parts[0] + "'");
			return;
		}
		if (parts.length == 1) {
			Answer.json(exchange, Json.of(call.client));
			return;
		}
		int end = parts[1].lastIndexOf('/');
		String last = parts[1].substring(end + 1);
		boolean word = last.equals("discover") || last.equals("attributes") || last.equals("observe");
		call.word = word ? last : "";
		call.path = "/" + (word ? parts[1].substring(0, Math.max(end, 0)) : parts[1]);
		call.composite = call.path.equals("/composite");
		if (call.word.equals("observe") && exchange.getRequestMethod().equals("DELETE"))
			cancel(call);
		else
			send(call, call.composite ? compositeRequest(call) : request(call));
	}

	private DownlinkDeviceManagementRequest<?> compositeRequest(Call call) throws IOException {
		switch (call.exchange.getRequestMethod() + " " + call.word) {
		case "GET ":
			return new ReadCompositeRequest(call.format("pathformat"), call.format("nodeformat"), call.paths());
		case "PUT ":
			Map<LwM2mPath, LwM2mNode> nodes = new HashMap<>();

			mapper.readTree(call.body()).fields().forEachRemaining(
					node -> nodes.put(new LwM2mPath(node.getKey()), Json.node(node.getValue())));
			return new WriteCompositeRequest(call.format(), nodes, null);
		case "POST observe":
			return new ObserveCompositeRequest(call.format("pathformat"), call.format("nodeformat"),
					LwM2mPath.getLwM2mPathList(call.paths()));
		default:
			throw new IllegalArgumentException("there is no such method of several paths");
		}
	}

	private DownlinkDeviceManagementRequest<?> request(Call call)
			throws IOException, InvalidAttributeException {
		switch (call.exchange.getRequestMethod() + " " + call.word) {
		case "GET ":
			return new ReadRequest(call.format(), call.path);
		case "GET discover":
			return new DiscoverRequest(call.path);
		case "PUT ":
			return new WriteRequest(
					call.query.getOrDefault("replace", "true").equals("true")
							? WriteRequest.Mode.REPLACE : WriteRequest.Mode.UPDATE,
					call.format(), call.path, node(call));
		case "PUT attributes":
			return new WriteAttributesRequest(call.path, new LwM2mAttributeSet(
					new DefaultLwM2mAttributeParser().parseUriQuery(
							call.exchange.getRequestURI().getQuery())));
		case "POST observe":
			return new ObserveRequest(call.format(), call.path);
		case "POST ":
			return post(call);
		case "DELETE ":
			return new DeleteRequest(call.path);
		default:
			throw new IllegalArgumentException("there is no such method and path");
		}
	}

	private DownlinkDeviceManagementRequest<?> post(Call call) throws IOException {
		LwM2mPath path = new LwM2mPath(call.path);

		if (path.isResource()) {
			String argument = call.body();

			return new ExecuteRequest(call.path, argument.isEmpty() ? null : argument);
		}
		JsonNode json = mapper.readTree(call.body());
		if (!json.has("id"))
			return new CreateRequest(call.format(), call.path, Json.resources(json));
		return new CreateRequest(call.format(), call.path, (LwM2mObjectInstance) Json.node(json));
	}

	/** The body: JSON, or as plain text the value of a resource. */
	private LwM2mChildNode node(Call call) throws IOException {
		String type = call.exchange.getRequestHeaders().getFirst("Content-Type");

		if (type != null && type.startsWith("text/plain"))
			return LwM2mSingleResource.newStringResource(new LwM2mPath(call.path).getResourceId(),
					call.body());
		JsonNode json = mapper.readTree(call.body());
		return Json.node(json);
	}

	private LwM2mResponse send(Call call, DownlinkDeviceManagementRequest<?> request)
			throws IOException, InterruptedException {
		long seconds = Long.parseLong(
				call.query.getOrDefault("timeout", Long.toString(TIMEOUT_S)));
		LwM2mResponse response = server.send(call.client, request, seconds * 1000);

		if (response == null)
			Answer.text(call.exchange, 504, "Request timeout");
		else
			Answer.json(call.exchange, Json.of(response));
		return response;
	}

	/** With `active` the client is told, else its next notification is answered by RST. */
	private void cancel(Call call) throws IOException, InterruptedException {
		ObservationService observations = server.getObservationService();

		if (!call.query.containsKey("active")) {
			observations.cancelObservations(call.client, call.path);
			Answer.text(call.exchange, 200, "");
			return;
		}
		for (Observation observation : observations.getObservations(call.client)) {
			DownlinkDeviceManagementRequest<?> request = cancellation(call, observation);

			if (request == null)
				continue;
			LwM2mResponse response = send(call, request);
			if (response != null && response.isSuccess())
				observations.cancelObservation(observation);
			return;
		}
		Answer.text(call.exchange, 404, "no observation of " + call.path);
	}

	/** Null when it is of something else. */
	private static DownlinkDeviceManagementRequest<?> cancellation(Call call, Observation observation) {
		if (call.composite && observation instanceof CompositeObservation
				&& ((CompositeObservation) observation).getPaths().equals(
						LwM2mPath.getLwM2mPathList(call.paths())))
			return new CancelCompositeObservationRequest((CompositeObservation) observation);
		if (!call.composite && observation instanceof SingleObservation
				&& ((SingleObservation) observation).getPath().equals(new LwM2mPath(call.path)))
			return new CancelObservationRequest((SingleObservation) observation);
		return null;
	}
}

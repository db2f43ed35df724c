// SPDX-License-Identifier: Apache-2.0
package fieldway.leshan;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.leshan.core.link.DefaultLinkSerializer;
import org.eclipse.leshan.core.link.Link;
import org.eclipse.leshan.core.link.attributes.Attribute;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.node.LwM2mChildNode;
import org.eclipse.leshan.core.node.LwM2mMultipleResource;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mResourceInstance;
import org.eclipse.leshan.core.node.LwM2mRoot;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.node.ObjectLink;
import org.eclipse.leshan.core.peer.PskIdentity;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.response.CreateResponse;
import org.eclipse.leshan.core.response.DiscoverResponse;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ReadCompositeResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.util.Hex;
import org.eclipse.leshan.core.util.datatype.ULong;
import org.eclipse.leshan.server.registration.Registration;

/** Leshan's things in the JSON of its demo server; besides, what CoAP said (coap) and who came in (identity). */
final class Json {
	private static final JsonNodeFactory NEW = JsonNodeFactory.instance;

	private Json() {
	}

	static ObjectNode of(Registration registration) {
		ObjectNode json = NEW.objectNode();

		json.put("endpoint", registration.getEndpoint());
		json.put("registrationId", registration.getId());
		json.put("registrationDate", registration.getRegistrationDate().getTime());
		json.put("lastUpdate", registration.getLastUpdate().getTime());
		json.put("address", registration.getAddress().getHostAddress() + ":" + registration.getPort());
		json.put("lwM2mVersion", registration.getLwM2mVersion().toString());
		json.put("lifetime", registration.getLifeTimeInSec());
		json.put("bindingMode", BindingMode.toString(registration.getBindingMode()));
		json.put("rootPath", registration.getRootPath());
		json.set("objectLinks", of(registration.getObjectLinks()));
		json.put("secure", registration.getClientTransportData().getIdentity().isSecure());
		json.put("queuemode", registration.usesQueueMode());
		if (registration.getClientTransportData().getIdentity() instanceof PskIdentity)
			json.put("identity", ((PskIdentity) registration.getClientTransportData().getIdentity())
					.getPskIdentity());
		return json;
	}

	static ArrayNode of(Link[] links) {
		ArrayNode array = NEW.arrayNode();

		for (Link link : links) {
			ObjectNode json = array.addObject().put("url", link.getUriReference());
			ObjectNode attributes = json.putObject("attributes");

			for (Attribute attribute : link.getAttributes())
				attributes.put(attribute.getName(), attribute.getCoreLinkValue());
		}
		return array;
	}

	static ObjectNode of(LwM2mResponse response) {
		ObjectNode json = NEW.objectNode();

		json.put("status", response.getCode().toString());
		json.put("valid", response.isValid());
		json.put("success", response.isSuccess());
		json.put("failure", response.isFailure());
		if (response instanceof ReadResponse && ((ReadResponse) response).getContent() != null)
			json.set("content", of(((ReadResponse) response).getContent()));
		if (response instanceof ReadCompositeResponse && ((ReadCompositeResponse) response).getContent() != null)
			json.set("content", of(((ReadCompositeResponse) response).getContent()));
		if (response instanceof DiscoverResponse && response.isSuccess())
			json.set("objectLinks", of(((DiscoverResponse) response).getObjectLinks()));
		if (response instanceof CreateResponse)
			json.put("location", ((CreateResponse) response).getLocation());
		if (response.isFailure() && response.getErrorMessage() != null)
			json.put("errormessage", response.getErrorMessage());
		json.set("coap", message(response));
		return json;
	}

	/** {"format", "observe", "payload" in hex} */
	static ObjectNode message(LwM2mResponse response) {
		Response message = (Response) response.getCoapResponse();
		ObjectNode json = NEW.objectNode();

		if (message.getOptions().hasContentFormat())
			json.put("format", message.getOptions().getContentFormat());
		json.put("observe", message.getOptions().hasObserve());
		json.put("payload", Hex.encodeHexString(message.getPayload()));
		return json;
	}

	/** A path that is not there is null. */
	static ObjectNode of(Map<LwM2mPath, LwM2mNode> nodes) {
		ObjectNode json = NEW.objectNode();

		for (Map.Entry<LwM2mPath, LwM2mNode> node : nodes.entrySet())
			if (node.getValue() instanceof LwM2mRoot)
				add(json.putObject(node.getKey().toString()).put("kind", "root").putArray("objects"),
						((LwM2mRoot) node.getValue()).getObjects());
			else
				json.set(node.getKey().toString(), node.getValue() == null ? NEW.nullNode()
						: of((LwM2mChildNode) node.getValue()));
		return json;
	}

	static ObjectNode of(LwM2mChildNode node) {
		ObjectNode json = NEW.objectNode().put("id", node.getId());

		if (node instanceof LwM2mObject) {
			json.put("kind", "obj");
			add(json.putArray("instances"), ((LwM2mObject) node).getInstances());
		} else if (node instanceof LwM2mObjectInstance) {
			json.put("kind", "instance");
			add(json.putArray("resources"), ((LwM2mObjectInstance) node).getResources());
		} else if (node instanceof LwM2mResourceInstance) {
			LwM2mResourceInstance instance = (LwM2mResourceInstance) node;

			json.put("kind", "resourceInstance").put("type", instance.getType().toString());
			json.set("value", value(instance.getType(), instance.getValue()));
		} else {
			resource(json, (LwM2mResource) node);
		}
		return json;
	}

	private static void add(ArrayNode array, Map<Integer, ? extends LwM2mChildNode> nodes) {
		for (LwM2mChildNode node : nodes.values())
			array.add(of(node));
	}

	private static void resource(ObjectNode json, LwM2mResource resource) {
		Type type = resource.getType();

		json.put("type", type.toString());
		if (!resource.isMultiInstances()) {
			json.put("kind", "singleResource").set("value", value(type, resource.getValue()));
			return;
		}
		ObjectNode values = json.put("kind", "multiResource").putObject("values");
		for (LwM2mResourceInstance instance : resource.getInstances().values())
			values.set(Integer.toString(instance.getId()), value(type, instance.getValue()));
	}

	/** Numbers are text: JavaScript's are too small for 64 bits. */
	private static JsonNode value(Type type, Object value) {
		switch (type) {
		case BOOLEAN:
			return NEW.booleanNode((Boolean) value);
		case TIME:
			return NEW.numberNode(((Date) value).getTime());
		case OPAQUE:
			return NEW.textNode(Hex.encodeHexString((byte[]) value));
		case CORELINK:
			return NEW.textNode(new DefaultLinkSerializer().serializeCoreLinkFormat((Link[]) value));
		case OBJLNK:
			return NEW.objectNode().put("objectId", ((ObjectLink) value).getObjectId())
					.put("objectInstanceId", ((ObjectLink) value).getObjectInstanceId());
		default:
			return NEW.textNode(value.toString());
		}
	}

	/** Those of an instance, whose number may be left to the client. */
	static List<LwM2mResource> resources(JsonNode json) {
		List<LwM2mResource> resources = new ArrayList<>();

		for (JsonNode resource : json.get("resources"))
			resources.add((LwM2mResource) node(resource));
		return resources;
	}

	/** The node that a request's body describes. */
	static LwM2mChildNode node(JsonNode json) {
		int id = json.path("id").asInt();

		if (json.has("resources"))
			return new LwM2mObjectInstance(id, resources(json));
		Type type = Type.valueOf(json.path("type").asText().toUpperCase());
		if (json.has("values")) {
			Map<Integer, Object> values = new HashMap<>();

			json.get("values").fields().forEachRemaining(
					e -> values.put(Integer.valueOf(e.getKey()), value(type, e.getValue())));
			return LwM2mMultipleResource.newResource(id, values, type);
		}
		Object value = value(type, json.path("value"));
		return json.path("kind").asText().equals("resourceInstance")
				? LwM2mResourceInstance.newInstance(id, value, type)
				: LwM2mSingleResource.newResource(id, value, type);
	}

	private static Object value(Type type, JsonNode json) {
		switch (type) {
		case STRING:
			return json.asText();
		case INTEGER:
			return Long.valueOf(json.asText());
		case UNSIGNED_INTEGER:
			return ULong.valueOf(json.asText());
		case FLOAT:
			return Double.valueOf(json.asText());
		case BOOLEAN:
			return json.asBoolean();
		case TIME:
			return new Date(json.asLong());
		case OPAQUE:
			return Hex.decodeHex(json.asText().toCharArray());
		case OBJLNK:
			return new ObjectLink(json.path("objectId").asInt(), json.path("objectInstanceId").asInt());
		default:
			throw new IllegalArgumentException("no values of the type " + type + " are written here");
		}
	}
}

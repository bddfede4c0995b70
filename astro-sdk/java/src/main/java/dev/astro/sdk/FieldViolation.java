package dev.astro.sdk;

import java.io.Serializable;

/**
 * One wrong field of a request.
 *
 * @param field its path: {@code filter.states}
 * @param description what is wrong with it
 */
public record FieldViolation(String field, String description) implements Serializable {
    private static final long serialVersionUID = 1L;
}
